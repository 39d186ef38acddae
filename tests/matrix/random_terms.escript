%% -*- coding: utf-8 -*-
%% Copyright (c) 2026, the beam.cluster contributors
%% GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
%% SPDX-License-Identifier: GPL-3.0-or-later
%%
%% make COUNT SEED FILE    write COUNT random terms, each as a 4-byte length and term_to_binary
%% back FILE OTHER         read the terms of FILE and write them to OTHER as term_to_binary has them now; what is refused is empty there
%% same FILE OTHER         compare two such files term by term with =:=; says how many are the same, fails where one is not
%% texts FILE OTHER        compare FILE with a file of terms as text (file:consult); what has no text is `skip` there
-mode(compile).

main(["make", Count, Seed, File]) ->
    rand:seed(exsss, list_to_integer(Seed)),
    {ok, Out} = file:open(File, [write, raw, binary, delayed_write]),
    lists:foreach(
        fun(N) ->
            Term = term(rand:uniform(5)),
            %% The forms that older nodes and other options bring, too.
            Options = element(1 + N rem 3, {[], [{minor_version, 2}], [compressed]}),
            Data = term_to_binary(Term, Options),
            ok = file:write(Out, <<(byte_size(Data)):32, Data/binary>>)
        end,
        lists:seq(1, list_to_integer(Count))),
    ok = file:close(Out);
main(["back", File, Other]) ->
    {ok, In} = file:read_file(File),
    ok = file:write_file(Other, back(In, []));
main(["same", File, Other]) ->
    {ok, A} = file:read_file(File),
    {ok, B} = file:read_file(Other),
    io:format("~b~n", [same(A, B, 0)]);
main(["texts", File, Other]) ->
    {ok, A} = file:read_file(File),
    {ok, Terms} = file:consult(Other),
    io:format("~b~n", [texts(A, Terms, 0)]).

back(<<>>, Out) -> lists:reverse(Out);
back(<<L:32, In:L/binary, Rest/binary>>, Out) ->
    Data = try term_to_binary(binary_to_term(In)) catch error:badarg -> <<>> end,
    back(Rest, [[<<(byte_size(Data)):32>>, Data] | Out]).

same(<<>>, <<>>, N) -> N;
same(<<L:32, A:L/binary, RestA/binary>>, <<M:32, B:M/binary, RestB/binary>>, N) ->
    case binary_to_term(B) of
        Term ->
            case binary_to_term(A) =:= Term of
                true -> same(RestA, RestB, N + 1);
                false -> io:format("~b: ~p is ~p~n", [N, binary_to_term(A), Term]), halt(1)
            end
    end.

texts(<<>>, [], N) -> N;
texts(<<L:32, _:L/binary, Rest/binary>>, ['skip of ours' | Terms], N) -> texts(Rest, Terms, N);
texts(<<L:32, A:L/binary, Rest/binary>>, [Term | Terms], N) ->
    case binary_to_term(A) =:= Term of
        true -> texts(Rest, Terms, N + 1);
        false -> io:format("~b: ~p is ~p~n", [N, binary_to_term(A), Term]), halt(1)
    end.

term(0) -> leaf(rand:uniform(16));
term(Depth) ->
    case rand:uniform(12) of
        1 -> list_to_tuple(terms(Depth));
        2 -> terms(Depth);
        3 -> terms(Depth) ++ term(Depth - 1);
        4 -> maps:from_list([{term(Depth - 1), term(Depth - 1)} || _ <- lists:seq(1, rand:uniform(5) - 1)]);
        5 -> list_to_tuple([N || N <- lists:seq(1, rand:uniform(400))]);
        6 -> Free = term(Depth - 1), Other = term(0), fun(X) -> {X, Free, Other} end;
        _ -> leaf(rand:uniform(16))
    end.

terms(Depth) -> [term(Depth - 1) || _ <- lists:seq(1, rand:uniform(6) - 1)].

leaf(1) -> rand:uniform(256) - 1;
leaf(2) -> rand:uniform(1 bsl 33) - (1 bsl 32);
leaf(3) -> sign() * rand:uniform(1 bsl (8 * rand:uniform(12)));
leaf(4) -> sign() * ((1 bsl lists:nth(rand:uniform(6), [31, 32, 63, 64, 2040, 2048])) + rand:uniform(3) - 2);
leaf(5) -> float();
leaf(6) -> atom();
leaf(7) -> bytes(rand:uniform(70) - 1);
leaf(8) -> Size = rand:uniform(40), <<Bits:Size/bitstring, _/bitstring>> = bytes(8), Bits;
leaf(9) -> [rand:uniform(255) || _ <- lists:seq(1, rand:uniform(30))];
leaf(10) -> [character() || _ <- lists:seq(1, rand:uniform(20))];
leaf(11) -> self();
leaf(12) -> make_ref();
leaf(13) -> hd(erlang:ports());
leaf(14) -> fun lists:map/2;
leaf(15) -> lists:nth(rand:uniform(4), [[], {}, #{}, <<>>]);
leaf(16) -> list_to_pid("<0." ++ integer_to_list(rand:uniform(30000)) ++ ".0>").

%% rand:bytes/1 is of OTP 24.
bytes(Size) -> << <<(rand:uniform(256) - 1)>> || _ <- lists:seq(1, Size) >>.

sign() -> lists:nth(rand:uniform(2), [1, -1]).

float() ->
    <<Float:64/float>> = case bytes(8) of
        <<_:1, 2047:11, Rest/bitstring>> -> <<0:12, Rest/bitstring>>;
        Bytes -> Bytes
    end,
    Float.

character() ->
    case rand:uniform(16#10FFFF) of
        C when C >= 16#D800, C < 16#E000 -> 16#4E16;
        C -> C
    end.

%% From a small stock: atoms stay for ever.
atom() ->
    lists:nth(rand:uniform(8), [ok, true, '', 'Elixir.Foo', 'it\'s', '\x{e9}', '\x{4e16}\x{1f600}', list_to_atom(lists:duplicate(255, $x))]).
