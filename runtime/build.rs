fn main() {
	#[cfg(feature = "std")]
	{
		// The build of the WebAssembly inherits it from here, and has to be repeated when it changes.
		println!("cargo:rerun-if-env-changed=RUNTIME_METADATA_HASH");
		if std::env::var_os("RUNTIME_METADATA_HASH").is_none() {
			println!(
				"cargo::error=RUNTIME_METADATA_HASH is not set, and hardware wallets refuse a runtime \
				 without it: run cargo within the repository, whose .cargo/config.toml sets it"
			);
			return;
		}
		substrate_wasm_builder::WasmBuilder::build_using_defaults();
	}
}
