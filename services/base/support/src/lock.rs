//! Locks that a panicked thread does not make unusable.
//!
//! The standard library marks a lock as poisoned when a thread panics while it holds it, and every
//! later user has to decide about that. Here the decision is made once: nothing that is held in a
//! lock in this repository is left half changed by a panic, so work continues.

use std::sync::{self, MutexGuard, PoisonError, RwLockReadGuard, RwLockWriteGuard};

/// Locking that ignores poison.
///
/// ```
/// use gridproof_support::Lock;
/// let shared = std::sync::Mutex::new(1);
/// *shared.locked() += 1;
/// assert_eq!(*shared.locked(), 2);
/// ```
pub trait Lock<T: ?Sized> {
	/// Waits for the lock and returns what it guards.
	fn locked(&self) -> MutexGuard<'_, T>;
}

impl<T: ?Sized> Lock<T> for sync::Mutex<T> {
	fn locked(&self) -> MutexGuard<'_, T> {
		self.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Locking for readers and writers that ignores poison.
pub trait RwLock<T: ?Sized> {
	/// Waits until nobody writes and returns what the lock guards.
	fn reading(&self) -> RwLockReadGuard<'_, T>;
	/// Waits until nobody reads or writes and returns what the lock guards.
	fn writing(&self) -> RwLockWriteGuard<'_, T>;
}

impl<T: ?Sized> RwLock<T> for sync::RwLock<T> {
	fn reading(&self) -> RwLockReadGuard<'_, T> {
		self.read().unwrap_or_else(PoisonError::into_inner)
	}

	fn writing(&self) -> RwLockWriteGuard<'_, T> {
		self.write().unwrap_or_else(PoisonError::into_inner)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::{Arc, Mutex};

	#[test]
	fn a_lock_is_usable_after_its_holder_has_panicked() {
		let shared = Arc::new(Mutex::new(1));
		let held = shared.clone();
		let thread = std::thread::spawn(move || {
			let _guard = held.locked();
			panic!("while the lock is held");
		});
		assert!(thread.join().is_err());
		assert!(shared.is_poisoned());
		assert_eq!(*shared.locked(), 1);
	}
}
