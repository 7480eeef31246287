//! How large a packet may be, and how many messages of one connection may be on their way to the
//! disk.
//!
//! The protocol's library has a limit of its own, which it does not keep for publishes that follow
//! each other.

use crate::config::MAX_MESSAGE_BYTES;
use ntex::service::{Service, ServiceCtx};
use std::{
	cell::{Cell, RefCell},
	future::poll_fn,
	task::{Poll, Waker},
};

/// Largest packet, in bytes, with its header.
pub(super) const MAX_PACKET: usize = MAX_MESSAGE_BYTES as usize + 5;
/// Messages of one connection that are on their way to the disk; more are not read.
pub(super) const IN_FLIGHT: u16 = 2_048;
/// Bytes of them.
pub(super) const IN_FLIGHT_BYTES: usize = 2 << 20;
/// Both.
pub(super) const MOST: (usize, usize) = (IN_FLIGHT as usize, IN_FLIGHT_BYTES);

/// Takes publishes as long as there is room for them; `size` says how many bytes one has.
pub(super) struct Limited<H, P> {
	handle: H,
	size: fn(&P) -> u32,
	open: Cell<usize>,
	bytes: Cell<usize>,
	most: (usize, usize),
	waiting: RefCell<Option<Waker>>,
}

impl<H, P> Limited<H, P> {
	/// At most so many, and so many bytes, at a time.
	pub(super) fn new(handle: H, size: fn(&P) -> u32, most: (usize, usize)) -> Self {
		let (open, bytes, waiting) = (Cell::new(0), Cell::new(0), RefCell::new(None));
		Self { handle, size, open, bytes, most, waiting }
	}

	fn has_room(&self) -> bool {
		self.open.get() < self.most.0 && self.bytes.get() < self.most.1
	}

	fn enter(&self, size: usize) -> Entered<'_, H, P> {
		self.open.set(self.open.get().saturating_add(1));
		self.bytes.set(self.bytes.get().saturating_add(size));
		Entered { limit: self, size }
	}
}

/// A message under way.
struct Entered<'a, H, P> {
	limit: &'a Limited<H, P>,
	size: usize,
}

impl<H, P> Drop for Entered<'_, H, P> {
	fn drop(&mut self) {
		let limit = self.limit;
		limit.open.set(limit.open.get().saturating_sub(1));
		limit.bytes.set(limit.bytes.get().saturating_sub(self.size));
		if limit.has_room()
			&& let Some(waker) = limit.waiting.borrow_mut().take()
		{
			waker.wake();
		}
	}
}

impl<H, P, R, E, F> Service<P> for Limited<H, P>
where
	H: Fn(P) -> F,
	F: Future<Output = Result<R, E>>,
{
	type Response = R;
	type Error = E;

	async fn ready(&self, _: ServiceCtx<'_, Self>) -> Result<(), E> {
		poll_fn(|context| {
			if self.has_room() {
				return Poll::Ready(Ok(()));
			}
			*self.waiting.borrow_mut() = Some(context.waker().clone());
			Poll::Pending
		})
		.await
	}

	async fn call(&self, publish: P, _: ServiceCtx<'_, Self>) -> Result<R, E> {
		let size = usize::try_from((self.size)(&publish)).unwrap_or(usize::MAX);
		let _entered = self.enter(size);
		(self.handle)(publish).await
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ntex::service::Pipeline;
	use std::{rc::Rc, task::Context};
	use tokio::sync::Notify;

	#[test]
	fn more_are_taken_when_one_is_done() {
		let release = Rc::new(Notify::new());
		let hold = release.clone();
		let handle = move |size: u32| {
			let hold = hold.clone();
			async move {
				hold.notified().await;
				Ok::<u32, ()>(size)
			}
		};
		// Two messages, or ten bytes and what goes beyond them with the last.
		for sizes in [[1, 1], [5, 9]] {
			let limit = Limited::new(handle.clone(), |size: &u32| *size, (2, 10));
			let service = Pipeline::new(limit).bind();
			let mut context = Context::from_waker(Waker::noop());
			let mut calls: Vec<_> =
				sizes.into_iter().map(|size| Box::pin(service.call_nowait(size))).collect();
			assert!(service.poll_ready(&mut context).is_ready());
			for call in &mut calls {
				assert!(call.as_mut().poll(&mut context).is_pending());
			}
			assert!(service.poll_ready(&mut context).is_pending(), "{sizes:?}");
			release.notify_one();
			let mut done = 0;
			for call in &mut calls {
				done += usize::from(call.as_mut().poll(&mut context).is_ready());
			}
			assert_eq!(done, 1);
			assert!(service.poll_ready(&mut context).is_ready(), "{sizes:?}");
		}
	}
}
