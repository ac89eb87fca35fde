//! Bundles that travel inside sealed files.
