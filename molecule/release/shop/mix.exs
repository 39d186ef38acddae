# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# An application with the shape of a Phoenix one: settings read at its start, an HTTP listener, a release. No dependencies: it is built without hex.
defmodule Shop.MixProject do
  use Mix.Project

  def project do
    [app: :shop, version: System.get_env("SHOP_VERSION", "1.0.0"), elixir: "~> 1.14", start_permanent: true, deps: []]
  end

  # Phoenix brings ssl along; distribution over TLS wants it.
  def application, do: [extra_applications: [:logger, :runtime_tools, :ssl], mod: {Shop.Application, []}]
end
