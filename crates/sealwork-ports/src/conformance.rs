//! One suite per port that every implementation must pass.
