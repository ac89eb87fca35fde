#![no_main]

sealwork_fuzz::target!(store_nodes);
