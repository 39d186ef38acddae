%% Run by escript, which does not look at this line.
%% -*- erlang -*-
%% Copyright (c) 2026, the beam.cluster contributors
%% GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
%% SPDX-License-Identifier: GPL-3.0-or-later
%%
%% Managed by beam.cluster (role distribution). Changes made here will be lost.
%%
%% Checks a file of a node with this host's own OTP before the file replaces the old one:
%%
%%   escript check_files.escript terms FILE         a list of literal terms
%%   escript check_files.escript tls FILE HOST      an option file: no combination that fails silently, and a handshake of
%%                                            its server list with its client list, as a peer that dials HOST
%%   escript check_files.escript args FILE ERL PROTO
%%                                            a flags file: a VM booted with it, but without distribution, has each
%%                                            flag that matters once, values of the right type, every name pinned, and
%%                                            PROTO (inet_tls, ..., none) carries the distribution
%%   escript check_files.escript nameless FILE ERL PROTO
%%                                            the same for a product that gives the node its name itself
%%
%% Prints one line per fault and ends with 1, or says nothing and ends with 0.

-mode(compile).

main(["terms", File]) -> finish(terms(File));
main(["tls", File, Host]) -> finish(tls(File, Host));
main(["args", File, Erl, Proto]) -> finish(args(File, Erl, Proto, 1));
main(["nameless", File, Erl, Proto]) -> finish(args(File, Erl, Proto, 0));
main(_) -> finish(["usage: check_files.escript terms FILE | tls FILE HOST | args FILE ERL PROTO | nameless FILE ERL PROTO"]).

finish([]) -> halt(0);
finish(Faults) ->
    [io:format(standard_error, "~ts~n", [Fault]) || Fault <- Faults],
    halt(1).

say(Format, Values) -> lists:flatten(io_lib:format(Format, Values)).

terms(File) ->
    case file:consult(File) of
        {ok, [_ | _]} -> [];
        {ok, []} -> [say("~ts holds no term", [File])];
        {error, Reason} -> [say("~ts: ~ts", [File, file:format_error(Reason)])]
    end.

%% ---- option file of TLS distribution

tls(File, Host) ->
    case file:consult(File) of
        {ok, [Options]} when is_list(Options) ->
            case {proplists:get_all_values(server, Options), proplists:get_all_values(client, Options)} of
                {[Server], [Client]} when is_list(Server), is_list(Client) ->
                    Faults = side(server, Server) ++ side(client, Client) ++ combinations(Server, Client),
                    case Faults of
                        [] -> handshake(Server, Client, Host);
                        _ -> Faults
                    end;
                _ -> [say("~ts wants exactly one server list and one client list", [File])]
            end;
        {ok, _} -> [say("~ts wants exactly one term, a list", [File])];
        {error, Reason} -> [say("~ts is not literal terms: ~ts", [File, file:format_error(Reason)])]
    end.

%% OTP ignores a key of the server list that it does not know, and with it the typing error in the option that protects.
known() ->
    [certfile, keyfile, cacertfile, password, verify, versions, depth, ciphers, supported_groups, signature_algs,
     signature_algs_cert, crl_check, crl_cache, hibernate_after, log_level].
known(server) -> [fail_if_no_peer_cert, honor_cipher_order, reuse_sessions, client_renegotiation | known()];
known(client) -> [reuse_sessions | known()].

side(Side, Options) ->
    Keys = [element(1, Option) || Option <- Options, is_tuple(Option)],
    [say("~s: ~tp is not a pair", [Side, Option]) || Option <- Options, not (is_tuple(Option) andalso tuple_size(Option) =:= 2)]
    ++ [say("client: fail_if_no_peer_cert belongs to the server list; from OTP 26 on it breaks every outgoing connection", [])
        || Side =:= client, lists:member(fail_if_no_peer_cert, Keys)]
    ++ [say("client: server_name_indication switches the check of the peer's name off or to another name", [])
        || Side =:= client, lists:member(server_name_indication, Keys)]
    ++ [say("~s: secure_renegotiate breaks connections that know TLS 1.3 only, and changes nothing for others", [Side])
        || lists:member(secure_renegotiate, Keys)]
    ++ [say("~s: ~ts is no option that this file may hold; OTP would ignore it, or fail at the first connection", [Side, Key])
        || Key <- lists:usort(Keys) -- known(Side),
           not lists:member(Key, [fail_if_no_peer_cert, server_name_indication, secure_renegotiate])]
    ++ [say("~s: ~ts is given ~b times", [Side, Key, count(Key, Keys)]) || Key <- lists:usort(Keys), count(Key, Keys) > 1]
    ++ [say("~s: ~ts is missing", [Side, Key]) || Key <- [certfile, keyfile, cacertfile, verify, versions], not lists:member(Key, Keys)]
    ++ [say("~s: verify must be verify_peer", [Side]) || Verify <- proplists:get_all_values(verify, Options), Verify =/= verify_peer]
    ++ [say("~s: versions must be out of 'tlsv1.3' and 'tlsv1.2'", [Side])
        || Versions <- proplists:get_all_values(versions, Options), Versions =:= [] orelse Versions -- ['tlsv1.3', 'tlsv1.2'] =/= []].

combinations(Server, Client) ->
    [say("server: fail_if_no_peer_cert must be true, or a peer without a certificate gets as far as the cookie", [])
     || proplists:get_value(fail_if_no_peer_cert, Server) =/= true]
    ++ [say("~s: ~s breaks connections that know TLS 1.3 only", [Side, Key])
        || {Side, Options} <- [{server, Server}, {client, Client}],
           proplists:get_value(versions, Options) =:= ['tlsv1.3'],
           Key <- [reuse_sessions, client_renegotiation], proplists:is_defined(Key, Options)]
    ++ [say("client and server know different versions", []) || spoken(Server) =/= spoken(Client)]
    ++ [say("~s: ~s ~ts: ~ts", [Side, Key, Path, file:format_error(Reason)])
        || {Side, Options} <- [{server, Server}, {client, Client}],
           Key <- [certfile, keyfile, cacertfile],
           Path <- proplists:get_all_values(Key, Options),
           {error, Reason} <- [file:read_file(Path)]].

%% Without a suite of TLS 1.2 there is no TLS 1.2, whatever is listed.
spoken(Options) ->
    Suites = [ssl:str_to_suite(Name) || Name <- string:lexemes(proplists:get_value(ciphers, Options, ""), ":")],
    Later = [Suite || #{key_exchange := any} = Suite <- Suites],
    proplists:get_value(versions, Options, []) -- ['tlsv1.2' || Suites =/= [], Suites =:= Later].

count(Key, Keys) -> length([found || K <- Keys, K =:= Key]).

%% Both lists against each other over loopback: files that do not belong together, a name that the certificate does not
%% hold, an extended key usage that one side refuses and an option that the release does not know all show here. A node
%% would boot with each of them and then fail every connection.
handshake(Server, Client, Host) ->
    logger:set_primary_config(level, none),
    {ok, _} = application:ensure_all_started(ssl),
    Common = [binary, {active, false}, {packet, 4}, {ip, {127, 0, 0, 1}}],
    case ssl:listen(0, Common ++ Server) of
        {ok, Listen} ->
            {ok, {_, Port}} = ssl:sockname(Listen),
            Self = self(),
            spawn_link(fun() -> Self ! {accepted, accept(Listen)} end),
            Dialled = dial(Port, Client, Host),
            Accepted = receive {accepted, Answer} -> Answer after 10000 -> {error, timeout} end,
            [say("a client with these options refuses the server: ~0tp", [Reason]) || {error, Reason} <- [Dialled]]
            ++ [say("a server with these options refuses the client: ~0tp", [Reason]) || {error, Reason} <- [Accepted]];
        {error, Reason} -> [say("server: ~0tp", [Reason])]
    end.

accept(Listen) ->
    try
        {ok, Socket} = ssl:transport_accept(Listen, 10000),
        case ssl:handshake(Socket, 10000) of
            {ok, Session} -> ssl:send(Session, <<"proven">>), ssl:recv(Session, 0, 10000), ok;
            {error, Reason} -> {error, Reason}
        end
    catch _:Crash -> {error, Crash}
    end.

%% TLS 1.3: a client's connect returns before the server has judged its certificate, hence the read.
dial(Port, Client, Host) ->
    Options = [binary, {active, false}, {packet, 4}, {server_name_indication, Host} | Client],
    try ssl:connect({127, 0, 0, 1}, Port, Options, 10000) of
        {ok, Session} ->
            case ssl:recv(Session, 0, 10000) of
                {ok, <<"proven">>} -> ssl:send(Session, <<"seen">>), ok;
                {error, Reason} -> {error, Reason}
            end;
        {error, Reason} -> {error, Reason}
    catch _:Crash -> {error, Crash}
    end.

%% ---- flags file

args(File, Erl, Proto, Names) ->
    %% Without distribution: the node itself may be running, and a second one of its name would take its place.
    Question =
        "{ok, Terms} = case application:get_env(kernel, inetrc) of {ok, F} -> file:consult(F); _ -> {ok, []} end,"
        "Pins = [{Name, IP, inet:getaddr(Name, case tuple_size(IP) of 4 -> inet; 8 -> inet6 end)}"
        " || {host, IP, Names} <- Terms, Name <- Names],"
        %% A node that is to have no distribution must not be able to start it either.
        "Start = case init:get_argument(proto_dist) of"
        " {ok, [[\"none\"]]} -> logger:set_primary_config(level, none), element(1, net_kernel:start([prove, shortnames]));"
        " _ -> none end,"
        "io:format(\"~nanswer ~0tp.~n\", [{init:get_arguments(), application:get_all_env(kernel), Pins, Start}]),"
        "halt(0).",
    Port = open_port({spawn_executable, Erl},
                     [{args, ["-args_file", File, "-kernel", "start_distribution", "false", "-noinput", "-eval", Question]},
                      {env, [{"ERL_AFLAGS", false}, {"ERL_FLAGS", false}, {"ERL_ZFLAGS", false}, {"ERL_CRASH_DUMP_SECONDS", "0"}]},
                      exit_status, stderr_to_stdout, binary]),
    case collect(Port, []) of
        {0, Output} ->
            case re:run(Output, "^answer (.*)$", [multiline, {capture, all_but_first, list}, unicode]) of
                {match, [Text]} ->
                    {ok, Tokens, _} = erl_scan:string(Text),
                    case erl_parse:parse_term(Tokens) of
                        {ok, {Flags, _, _, Start}} when Proto =:= "none" -> nameless(Flags, Start);
                        {ok, {Flags, Kernel, Pins, _}} -> flags(Flags, Proto, Names) ++ kernel(Kernel) ++ pins(Pins);
                        {error, _} -> [say("the VM's answer cannot be read: ~ts", [Text])]
                    end;
                nomatch -> [say("the VM ends without an answer: ~ts", [Output])]
            end;
        {Status, Output} -> [say("the VM does not start (~tp): ~ts", [Status, Output])]
    end.

collect(Port, Output) ->
    receive
        {Port, {data, Data}} -> collect(Port, [Data | Output]);
        {Port, {exit_status, Status}} -> {Status, unicode:characters_to_list(iolist_to_binary(lists:reverse(Output)))}
    after 20000 -> {timeout, unicode:characters_to_list(iolist_to_binary(lists:reverse(Output)))}
    end.

flags(Flags, Proto, Names) ->
    Given = fun(Key) -> [Values || {K, Values} <- Flags, K =:= Key] end,
    Tls = lists:suffix("_tls", Proto),
    [say("-~s must be given once, it is given ~b times", [Key, length(Given(Key))])
     || Key <- [proto_dist, start_epmd | [ssl_dist_optfile || Tls]], length(Given(Key)) =/= 1]
    ++ [say("-ssl_dist_optfile is given, and ~s is not TLS", [Proto]) || not Tls, Given(ssl_dist_optfile) =/= []]
    ++ [say("a fixed port must be set in one way, or OTP 27.2 and later do not start", [])
        || Given(erl_epmd_port) =/= [], lists:any(fun(V) -> hd(V) =:= "erl_epmd_node_listen_port" end, [V || V <- Given(kernel), V =/= []])]
    ++ [say("-name or -sname must be given ~s", [element(Names + 1, {"by the product only", "once"})])
        || length(Given(name) ++ Given(sname)) =/= Names]
    ++ [say("-proto_dist ~ts is not ~s, which was planned", [lists:join(" ", Values), Proto])
        || Values <- Given(proto_dist), Values =/= [Proto]]
    ++ cookie(Given(setcookie))
    ++ [say("-nocookie makes the cookie a word that everybody knows", []) || Given(nocookie) =/= []]
    ++ [say("-ssl_dist_opt stands beside the option file", []) || Given(ssl_dist_opt) =/= []].

%% Given without a value, none of them counts and the cookie comes from the cookie file: so a script that insists on one is answered.
cookie(Given) -> [say("-setcookie shows the cookie in the process list", []) || lists:usort(Given) -- [[]] =/= []].

nameless(Flags, Start) ->
    Given = fun(Key) -> [Values || {K, Values} <- Flags, K =:= Key] end,
    [say("-~s keeps a node without distribution from starting, or gives it some", [Key])
     || Key <- [name, sname, ssl_dist_optfile, erl_epmd_port, setcookie], Given(Key) =/= []]
    ++ [say("-start_epmd false must be given once", []) || Given(start_epmd) =/= [["false"]]]
    ++ [say("distribution can be started at runtime", []) || Start =/= error].

kernel(Kernel) ->
    Value = fun(Key) -> proplists:get_value(Key, Kernel) end,
    Address = Value(inet_dist_use_interface),
    [say("-kernel inet_dist_use_interface is no address: ~0tp", [Address]) || not inet:is_ip_address(Address)]
    ++ [say("-kernel inet_dist_connect_options lacks {ip, ~0tp}", [Address])
        || not lists:member({ip, Address}, case Value(inet_dist_connect_options) of L when is_list(L) -> L; _ -> [] end)]
    ++ [say("-kernel inet_dist_listen_min and inet_dist_listen_max are no window: ~0tp to ~0tp", [Min, Max])
        || {Min, Max} <- [{Value(inet_dist_listen_min), Value(inet_dist_listen_max)}],
           not (is_integer(Min) andalso is_integer(Max) andalso 0 < Min andalso Min =< Max andalso Max < 65536)]
    ++ [say("-kernel inetrc is missing", []) || Value(inetrc) =:= undefined].

pins(Pins) ->
    [say("~ts is pinned to ~0tp, but the VM resolves it to ~0tp", [Name, IP, Answer]) || {Name, IP, Answer} <- Pins, Answer =/= {ok, IP}].
