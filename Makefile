# The recipes of the house. `make` lists them. Cargo decides what to rebuild; make only orders its steps, because the
# agent embeds guest modules that are built for another target and compiled ahead of time.

MODULES := $(shell cat schemas/modules.txt)
EXAMPLES := primary-address freeze-blockers

# The forms of machine code that the agent holds: on x86 one for every processor and a faster one for SSE4.2.
forms_x86_64 := x86-64 x86-64-v2
forms_aarch64 := aarch64
cwasm = $(foreach form,$(forms_$(1)),$(MODULES:%=target/modules/%.$(form).cwasm))

WASM := target/wasm32-unknown-unknown/module
wasm_build := --profile module --target wasm32-unknown-unknown
wasm_packages := $(MODULES:%=-p bulkhead-module-%)
COMPILE := target/release/bulkhead-compile
AARCH64_LINKER ?= aarch64-linux-gnu-gcc

# Rustup fetches what rust-toolchain.toml names, but not where RUSTUP_AUTO_INSTALL is 0. Without rustup, the
# distribution's package is expected to bring the target.
rust_target = @! command -v rustup >/dev/null || rustup target list --installed | grep -qx $(1) || \
	rustup target add $(1)

.PHONY: help build demo test e2e bench newest-qemu-ga update-engine instructions modules villains samples examples lint fuzz aarch64 clean FORCE
.DELETE_ON_ERROR:

help: ## List the recipes
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: modules ## Build the agent, bulkhead-agent, also as qemu-ga, and the tools, bulkhead, into target/release
	cargo build --release -p bulkhead-host -p bulkhead-tools
	@ln -sf bulkhead-agent target/release/qemu-ga

demo: build ## Start the agent and show a conversation with it
	@cargo run --quiet --release -p bulkhead-demo

test: ## Run every check there is (some need root): packages, lint, unit tests up to a real VM
	@tests/run

e2e: ## Run the VM tests, also those that take long: libvirt, systemd's shutdown and sleep
	@BULKHEAD_E2E=all tests/run packages build e2e

bench: build samples ## Measure the agent against qemu-ga, fetched or installed; BENCH="--quick --pin" passes options
	@tests/bench/limit/build
	@cargo run --quiet --release -p bulkhead-bench -- $(BENCH)

newest-qemu-ga: ## Fetch Debian unstable's qemu-ga for the bench, into target/qemu-ga/ (needs the network, no root)
	@tests/bench/newest-qemu-ga

update-engine: ## Move to the newest patch of the engine's line, build and test (needs the network)
	@host/engine/update

instructions: ## Count what the pure parts execute, against what was accepted (needs valgrind); ACCEPT=1 accepts
	@cargo run --quiet --release -p bulkhead-instructions -- $(if $(ACCEPT),--accept)

modules: $(call cwasm,$(shell uname -m)) ## Build the guest modules and compile them ahead of time

villains: $(COMPILE) ## Build the guest modules that misbehave, for tests/fault
	$(call rust_target,wasm32-unknown-unknown)
	cargo build $(wasm_build) -p bulkhead-villains --examples

samples: $(COMPILE) ## Build the guest modules that are installed, and refused, by tests/modules
	$(call rust_target,wasm32-unknown-unknown)
	cargo build $(wasm_build) -p bulkhead-samples --examples

examples: $(COMPILE) ## Build the example modules, for tests/author
	$(call rust_target,wasm32-unknown-unknown)
	cargo build $(wasm_build) $(EXAMPLES:%=-p bulkhead-module-%)

lint: modules ## Check the formatting and run clippy; a warning is an error
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings
	cargo clippy $(wasm_build) $(wasm_packages) $(EXAMPLES:%=-p bulkhead-module-%) -- -D warnings

fuzz: ## Fuzz the wire protocol; SECONDS=600 for longer than a minute
	tests/fuzz/run $(or $(SECONDS),60)

aarch64: $(call cwasm,aarch64) ## Build the agent for 64-bit Arm (needs gcc-aarch64-linux-gnu)
	$(call rust_target,aarch64-unknown-linux-gnu)
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$(AARCH64_LINKER) \
		cargo build --release --target aarch64-unknown-linux-gnu -p bulkhead-host

clean: ## Remove everything that was built or fetched
	cargo clean

# A guest module is a component. These two rules always run, but cargo leaves an unchanged file alone, and make then
# sees that nothing behind it has to be made again.
$(MODULES:%=$(WASM)/bulkhead_module_%.wasm) &: FORCE
	$(call rust_target,wasm32-unknown-unknown)
	cargo build $(wasm_build) $(wasm_packages)

$(COMPILE): FORCE
	cargo build --release -p bulkhead-compile

target/modules/%.x86-64.cwasm: $(WASM)/bulkhead_module_%.wasm $(COMPILE) | target/modules
	$(COMPILE) --form x86-64 $< $@

target/modules/%.x86-64-v2.cwasm: $(WASM)/bulkhead_module_%.wasm $(COMPILE) | target/modules
	$(COMPILE) --form x86-64-v2 $< $@

target/modules/%.aarch64.cwasm: $(WASM)/bulkhead_module_%.wasm $(COMPILE) | target/modules
	$(COMPILE) --form aarch64 $< $@

target/modules:
	@mkdir -p $@
