#![no_main]

sealwork_fuzz::target!(names);
