#![no_main]

sealwork_fuzz::target!(cas_session);
