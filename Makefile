# `make` alone lists the targets.

target_dir := $(or $(CARGO_TARGET_DIR),target)

.DEFAULT_GOAL := help
.PHONY: help run test faults check openapi lint deny sbom bench examples fuzz-parsers

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

run: ## Install what is missing, build, and serve the founding data set on http://localhost:8080
	scripts/setup rust postgres
	cargo build --release --locked
	exec $(target_dir)/release/pilot-exchange serve --demo

test: ## Install what is missing and run every test
	scripts/setup rust postgres browser readers
	cargo test

faults: ## Every fault in its full form, twice; target/faults/report.md says what was found. Takes an hour
	scripts/setup rust postgres
	scripts/faults

fuzz-parsers: ## Every parser against random input, a minute each; needs a nightly toolchain and cargo-fuzz
	scripts/fuzz-parsers

check: ## Formatting, lints, documentation, and that openapi/openapi.json is fresh
	scripts/setup rust
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps
	cargo run -- openapi --check

examples: ## Make the example clients and run them against a real server (needs Python and Node.js)
	scripts/setup rust postgres examples
	cargo build
	examples/run $(target_dir)/debug/pilot-exchange

openapi: ## Write openapi/openapi.json anew from the code
	scripts/setup rust
	cargo run -- openapi

lint: ## Spectral and Redocly on the OpenAPI document (needs Node.js)
	npx --yes @stoplight/spectral-cli lint openapi/openapi.json --ruleset openapi/.spectral.yaml --fail-severity=hint
	npx --yes @redocly/cli lint openapi/openapi.json --config openapi/redocly.yaml

deny: ## Licences, sources and, where the advisory database can be reached, advisories of all dependencies
	scripts/setup deny
	PATH="$(target_dir)/deny/bin:$$PATH" cargo deny check licenses bans sources
	PATH="$(target_dir)/deny/bin:$$PATH" cargo deny check advisories || echo "deny: advisories were not checked, or there are some: see above"

sbom: ## Write target/sbom.json, the bill of materials in CycloneDX
	scripts/setup rust
	command -v cargo-cyclonedx >/dev/null || cargo install --locked cargo-cyclonedx
	cargo cyclonedx --format json --override-filename sbom
	mv sbom.json $(target_dir)/sbom.json

bench: ## Measure against pgbench and COPY running the same SQL; takes an hour
	scripts/setup rust postgres
	cargo build --release --locked
	scripts/bench
	scripts/bench-imports
	scripts/bench-exports
	scripts/bench-feed
	scripts/bench-reports
