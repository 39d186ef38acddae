# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
defmodule Shop.Application do
  use Application

  @impl true
  def start(_type, _args) do
    children = if Application.get_env(:shop, :server), do: [{Shop.Endpoint, Application.fetch_env!(:shop, :port)}], else: []
    Supervisor.start_link(children, strategy: :one_for_one, name: Shop.Supervisor)
  end
end
