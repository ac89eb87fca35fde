#![no_main]

sealwork_fuzz::target!(trees);
