#![no_main]

sealwork_fuzz::target!(enclave_wire);
