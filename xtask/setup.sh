#!/usr/bin/env bash
# Installs what the project's commands need on Debian or Ubuntu beside rustup's stable Rust. What is there is skipped.
set -euo pipefail

packages=()
need() { # COMMAND THAT WORKS WHERE IT IS THERE, PACKAGES
    bash -c "$1" >/dev/null 2>&1 || packages+=("${@:2}")
}
need 'cc --version' gcc libc6-dev
need 'python3 -m pip --version || pip3 --version' python3-pip
need 'aarch64-linux-gnu-gcc --version' gcc-aarch64-linux-gnu
need 'test -e /usr/aarch64-linux-gnu/lib/libc.so' libc6-dev-arm64-cross
need 'qemu-aarch64-static --version || qemu-aarch64 --version' qemu-user-static
# What builds android/ where there is no Android SDK (android/standins).
need 'javac --version' openjdk-17-jdk-headless
need 'mvn --version' maven
# A GPU in software, which the tests of the shaders run on.
need 'ls /usr/share/vulkan/icd.d/lvp_icd*.json' mesa-vulkan-drivers libvulkan1
# What Debian's Swift takes from this machine.
need 'c++ --version' g++
need 'dpkg -s binutils libcurl4 || dpkg -s binutils libcurl4t64' binutils libcurl4
need 'dpkg -s libxml2' libxml2
need 'dpkg -s libsqlite3-0' libsqlite3-0
need 'dpkg -s libncurses6 libtinfo6' libncurses6 libtinfo6

if [ ${#packages[@]} -gt 0 ]; then
    echo "installing ${packages[*]}"
    root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    "${root[@]}" apt-get -q update
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${packages[@]}"
fi

command -v cargo >/dev/null || { echo "cargo is missing: install Rust's stable toolchain with rustup" >&2; exit 1; }
cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
