//! Behavior of the store, from outside.

#[cfg(test)]
mod content;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod garbage;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod resources_slow;
#[cfg(test)]
mod support;
#[cfg(test)]
mod vectors;
