# shellcheck shell=bash
# The steps of tests/run, in their order. A step returns 0, or $SKIPPED by way of skip(), or anything else for failed.

SKIPPED=77

have() {
    command -v "$1" >/dev/null
}

# Notes something that was not checked, and why, for the end of the run. `name` and `left_out` are tests/run's.
leave_out() {
    echo "left out: $1"
    left_out+=("$name: $1")
}

# Ends a step that cannot run here.
skip() {
    leave_out "$1"
    return "$SKIPPED"
}

# Always all of them, so that one run names everything that is wrong.
run_tests() {
    cargo test --release --no-fail-fast "$@"
}

step_packages() {
    local package missing=()
    have dpkg-query || { skip "not a Debian system: tests/packages.txt says what is needed"; return; }
    while read -r package _; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done < <(sed -E 's/#.*//; /^[[:space:]]*$/d' tests/packages.txt)
    [ ${#missing[@]} -gt 0 ] || { echo "nothing is missing"; return; }
    [ "$(id -u)" -eq 0 ] || { skip "needs root to install ${missing[*]}"; return; }
    have apt-get || { skip "no apt-get to install ${missing[*]}"; return; }
    echo "installing ${missing[*]}"
    install_packages "${missing[@]}"
}

# Installs without starting anything: Debian's packages ask policy-rc.d before they start a service, and qemu-ga must
# not begin to listen on this machine's own channel.
install_packages() (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" || exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q && apt-get install -q -y --no-install-recommends "$@"
)

step_build() {
    make --no-print-directory build
}

step_lint() {
    local scripts result=0
    make --no-print-directory lint || result=1
    if have shellcheck && have git; then
        # Regular files whose first line says so: awk ends at the first that is a link to a folder.
        mapfile -t scripts < <(git ls-files -sz | sed -zn 's/^100[^\t]*\t//p' |
            xargs -0 awk '/^#!.*[\/ ](ba)?sh( |$)/ { print FILENAME } { nextfile }')
        shellcheck -x -S warning "${scripts[@]}" tests/run.d/steps.bash || result=1
    else
        leave_out "shellcheck is not installed"
    fi
    return "$result"
}

step_deny() {
    local result=0 version=0.20.2
    PATH=$PWD/target/tools/bin:$PATH
    [ "$(cargo deny --version 2>/dev/null)" = "cargo-deny $version" ] || install_unoptimised cargo-deny "$version" || return 1
    cargo deny check --hide-inclusion-graph licenses bans sources || result=1
    if cargo deny fetch db; then
        cargo deny check --hide-inclusion-graph --disable-fetch advisories || result=1
    else
        leave_out "advisories: database not reachable (github.com/RustSec/advisory-db)"
    fi
    daemon_has_no_compiler || result=1
    daemon_needs_the_c_library_only || result=1
    return "$result"
}

# install_unoptimised CRATE VERSION OPTION...: a tool of the tests. Without optimisation it is built in a minute instead of five,
# and it runs for a second or two.
install_unoptimised() {
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 \
        cargo install --quiet --locked --root target/tools "$1" --version "$2" "${@:3}"
}

# What the agent links, as opposed to what the workspace holds: no compiler, no WASI.
daemon_has_no_compiler() {
    local graph found banned='^(cranelift-(codegen|frontend|native)|wasmtime-(internal-(cranelift|winch)|wasi)) '
    graph=$(cargo tree -p bulkhead-host -e normal --prefix none --target all) || return 1
    grep -q '^wasmtime v' <<<"$graph" || { echo "cargo tree does not show the agent's engine" >&2; return 1; }
    if found=$(grep -E "$banned" <<<"$graph"); then
        printf 'the agent must not link:\n%s\n' "$found" >&2
        return 1
    fi
    echo "the agent links no compiler"
}

# What it loads at its start: a drop-in must not ask for more than every VM has, and each library costs time.
daemon_needs_the_c_library_only() {
    local needed more
    needed=$(readelf -d target/release/bulkhead-agent | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    grep -q '^libc\.so\.' <<<"$needed" || { echo "readelf does not show the agent's C library" >&2; return 1; }
    if more=$(grep -Ev '^(libc|ld-linux.*)\.so\.' <<<"$needed"); then
        printf 'the agent must not need:\n%s\n' "$more" >&2
        return 1
    fi
    echo "the agent needs the C library only"
}

# Three invocations: cargo unifies features in each of them, and the compiler must not get into the agent's engine.
step_unit() {
    local result=0 modules
    mapfile -t modules < <(sed 's/^/bulkhead-module-/' schemas/modules.txt)
    run_tests -p bulkhead-audit -p bulkhead-border -p bulkhead-broker -p bulkhead-catalog -p bulkhead-config -p bulkhead-engine \
        -p bulkhead-gate -p bulkhead-host -p bulkhead-os -p bulkhead-policy -p bulkhead-protocol -p bulkhead-store -p bulkhead-sys \
        -p bulkhead-tools -p bulkhead-trust -p bulkhead-watch || result=1
    run_tests -p bulkhead-compile || result=1
    run_tests -p bulkhead-schema -p bulkhead-module "${modules[@]/#/-p}" -p bulkhead-zone \
        -p bulkhead-module-primary-address -p bulkhead-module-freeze-blockers -p bulkhead-test-support \
        -p bulkhead-demo -p bulkhead-bench || result=1
    # The tests of bulkhead-host and bulkhead-tools link programs of their own; what the next steps test must be what we ship.
    make --no-print-directory build || result=1
    return "$result"
}

# Counted under valgrind, so that a part that became slower is told on any machine. The baselines are of one target.
step_instructions() {
    local result=0
    [ "$(uname -sm)" = "Linux x86_64" ] || { skip "the baselines are of x86-64 Linux, this is $(uname -sm)"; return; }
    have valgrind || { skip "no valgrind (package valgrind)"; return; }
    make --no-print-directory instructions || result=1
    run_tests -p bulkhead-instructions || result=1
    return "$result"
}

step_conformance() {
    [ "$(id -u)" -eq 0 ] || leave_out "transcripts that need a sandbox: not root"
    run_tests -p bulkhead-conformance --lib --test transcripts
}

step_oracle() {
    if [ -z "${BULKHEAD_ORACLE:-}" ] && [ ! -x /usr/sbin/qemu-ga ] && [ ! -x /usr/bin/qemu-ga ]; then
        skip "no qemu-ga (package qemu-guest-agent)"
        return
    fi
    run_tests -p bulkhead-conformance --test oracle
}

step_recordings() {
    [ -d ../shared/conformance ] || { skip "the recordings are not there (../shared/conformance)"; return; }
    have python3 || { skip "no python3"; return; }
    tests/conformance/recordings
}

step_policy() {
    run_tests -p bulkhead-policy-tests
}

step_lifecycle() {
    run_tests -p bulkhead-lifecycle
}

step_modules() {
    have minisign || { skip "no minisign (package minisign)"; return; }
    have strace || leave_out "installing, killed at every step: no strace (package strace)"
    make --no-print-directory samples || return 1
    make --no-print-directory villains || return 1
    run_tests -p bulkhead-modules-tests -p bulkhead-swapping
}

step_author() {
    have minisign && have socat || leave_out "the document about writing a module: no minisign or no socat (packages)"
    make --no-print-directory examples || return 1
    run_tests -p bulkhead-author-tests
}

# A module in C: the compiler from packages, its bindings by wit-bindgen in the version of the SDK's own.
step_c() {
    local program version
    for program in clang wasm-ld minisign; do
        have "$program" || { skip "no $program (packages clang, lld, minisign)"; return; }
    done
    version=$(awk '/^name = "wit-bindgen"$/ { getline; gsub(/"/, ""); print $3 }' Cargo.lock)
    [ "$(target/tools/bin/wit-bindgen --version 2>/dev/null)" = "wit-bindgen-cli $version" ] ||
        install_unoptimised wit-bindgen-cli "$version" --no-default-features --features c || return 1
    run_tests -p bulkhead-c-module-tests
}

step_fault() {
    make --no-print-directory villains || return 1
    run_tests -p bulkhead-fault
}

step_house() {
    run_tests -p bulkhead-house
}

step_e2e() {
    have qemu-system-x86_64 || { skip "no qemu-system-x86_64 (package qemu-system-x86)"; return; }
    have apt-get || { skip "no apt-get to fetch the VM's kernel with"; return; }
    tests/e2e/fetch-kernel || return 1
    make --no-print-directory samples || return 1
    local message skip_system=0 skip_trixie=0 options=(--test-threads=1)
    message=$(tests/e2e/fetch-system 2>&1)
    case $? in
        0) ;;
        "$SKIPPED") leave_out "the Debian VM: ${message##*$'\n'}" && skip_system=1 ;;
        *) echo "$message" >&2 && return 1 ;;
    esac
    message=$(tests/e2e/fetch-system trixie 2>&1)
    case $? in
        0) ;;
        "$SKIPPED") leave_out "the Debian 13 VM: ${message##*$'\n'}" && skip_trixie=1 ;;
        *) echo "$message" >&2 && return 1 ;;
    esac
    if [ "${BULKHEAD_E2E:-}" = all ]; then
        options+=(--include-ignored)
    else
        leave_out "libvirt, systemd's shutdown and sleep, Debian on qemu64: make e2e"
    fi
    # One VM at a time: under emulation each needs a processor of its own.
    BULKHEAD_SKIP_SYSTEM=${BULKHEAD_SKIP_SYSTEM:-$skip_system} BULKHEAD_SKIP_TRIXIE=${BULKHEAD_SKIP_TRIXIE:-$skip_trixie} \
        run_tests -p bulkhead-e2e -- "${options[@]}"
}

step_fuzz() {
    have g++ || { skip "no g++, which libFuzzer needs"; return; }
    tests/fuzz/run 60
}

step_aarch64() {
    local agent=target/aarch64-unknown-linux-gnu/release/bulkhead-agent
    have aarch64-linux-gnu-gcc || { skip "no cross linker (package gcc-aarch64-linux-gnu)"; return; }
    make --no-print-directory aarch64 || return 1
    have qemu-aarch64-static || { leave_out "running it: no qemu-aarch64-static (package qemu-user-static)"; return 0; }
    # The whole conversation of the demo, on another processor: the engine, its machine code and the modules. By the loader rather
    # than by qemu's option -L, with which opening / gives the folder of that option: nothing is where it is when looked up from there.
    printf '#!/bin/sh\nexec qemu-aarch64-static %s/ld-linux-aarch64.so.1 --argv0 qemu-ga --library-path %s "%s" "$@"\n' \
        /usr/aarch64-linux-gnu/lib /usr/aarch64-linux-gnu/lib "$PWD/$agent" \
        >target/aarch64-agent
    chmod 755 target/aarch64-agent
    BULKHEAD_AGENT=$PWD/target/aarch64-agent cargo run --quiet --release -p bulkhead-demo
}
