#![no_main]

sealwork_fuzz::target!(answers);
