%% Copyright (c) 2026, the beam.cluster contributors
%% GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
%% SPDX-License-Identifier: GPL-3.0-or-later
-module(shop_app).
-behaviour(application).
-export([start/2, stop/1, listen/1]).

start(_Type, _Args) ->
    {ok, Port} = application:get_env(shop, port),
    {ok, proc_lib:spawn_link(?MODULE, listen, [Port])}.

stop(_State) -> ok.

%% Says its version and how many nodes it knows.
listen(Port) ->
    {ok, Socket} = gen_tcp:listen(Port, [binary, {active, false}, {packet, http_bin}, {reuseaddr, true}]),
    serve(Socket).

serve(Socket) ->
    {ok, Client} = gen_tcp:accept(Socket),
    _ = gen_tcp:recv(Client, 0, 5000),
    {ok, Version} = application:get_key(shop, vsn),
    Body = io_lib:format("shop ~s, ~b nodes~n", [Version, length(nodes()) + 1]),
    _ = gen_tcp:send(Client, io_lib:format("HTTP/1.1 200 OK\r\nContent-Length: ~b\r\nConnection: close\r\n\r\n~s", [iolist_size(Body), Body])),
    gen_tcp:close(Client),
    serve(Socket).
