#![no_main]

sealwork_fuzz::target!(chain_rpc);
