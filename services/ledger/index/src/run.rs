//! The whole server: the loop that follows the chain, and what is asked for.

use crate::{
	board::Board,
	error::IndexError,
	follow::{AT_ONCE, Follower, LOOP},
	http::{Api, routes},
	metrics::Metrics,
	source::{Node, Source},
	store::Store,
};
use futures::future::BoxFuture;
use gridproof_chain::Link;
use gridproof_http::{Limits, Loops, Part, Serving, serve, site, supervise};
use gridproof_support::{Clock, Lock, Stop};
use std::{
	net::SocketAddr,
	path::PathBuf,
	sync::{Arc, Mutex},
	time::Duration,
};

/// The longest time between two blocks, or two looks at a chain that has none: a question may take half a minute.
const LONGEST: Duration = Duration::from_secs(120);
/// Time for an answer; a question that takes longer is interrupted.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What an index follows, and where.
#[derive(Clone, Debug)]
pub struct Settings {
	/// Address of the node.
	pub url: String,
	/// Folder of the database.
	pub folder: PathBuf,
	/// Where to listen.
	pub listen: SocketAddr,
	/// The first block; by default the first of the chain, or the one after the last that is indexed.
	pub from: Option<u64>,
	/// Blocks that the node is asked for at a time, at least 1.
	pub at_once: usize,
	/// Web pages of other origins that may ask.
	pub origins: Vec<String>,
}

impl Settings {
	/// An index of the chain of a node, in a folder, with all defaults.
	pub fn new(url: String, folder: PathBuf, listen: SocketAddr) -> Self {
		Self { url, folder, listen, from: None, at_once: AT_ONCE, origins: Vec::new() }
	}
}

/// An index that is open and listens, and does not follow yet.
pub struct Index {
	follower: Follower,
	loops: Arc<Loops>,
	serving: Serving,
}

impl Index {
	/// Opens the database, connects to the node, and listens.
	///
	/// # Errors
	/// [`IndexError`].
	pub fn open(settings: Settings, stop: Stop) -> BoxFuture<'static, Result<Self, IndexError>> {
		Box::pin(async move {
			let link = Link::connect(&settings.url).await?;
			Self::with_source(settings, Arc::new(Node::new(link)), stop).await
		})
	}

	/// As [`Index::open`], with blocks from somewhere else.
	///
	/// # Errors
	/// [`IndexError`].
	pub fn with_source(
		settings: Settings,
		source: Arc<dyn Source>,
		stop: Stop,
	) -> BoxFuture<'static, Result<Self, IndexError>> {
		Box::pin(async move {
			let limits = Limits {
				max_body: 1 << 10,
				max_requests: 128,
				timeout: Some(TIMEOUT),
				origins: settings.origins,
			};
			limits.check_origins()?;
			let store = Store::open(&settings.folder)?;
			let (board, metrics) =
				(Arc::new(Board::new(Clock::system())), Arc::new(Metrics::new()?));
			let shown = (board.clone(), metrics.clone());
			let genesis = source.genesis().await?;
			let follower = Follower::open(
				source,
				store.clone(),
				&settings.folder,
				settings.from,
				shown,
				settings.at_once,
			)
			.await?;
			let loops = Arc::<Loops>::default();
			let api = Arc::new(Api { store, board, metrics, loops: loops.clone(), genesis });
			let router = site(routes(), api.clone(), api, &limits);
			let serving = serve(router, settings.listen, stop).await;
			let serving = serving.map_err(|error| IndexError::Listen {
				address: settings.listen.to_string(),
				reason: error.to_string(),
			})?;
			Ok(Self { follower, loops, serving })
		})
	}

	/// Where it listens.
	pub const fn address(&self) -> SocketAddr {
		self.serving.address()
	}

	/// Follows the chain and answers until the program stops.
	///
	/// # Errors
	/// [`IndexError`] if following is of no use any more.
	pub fn run(self, stop: Stop) -> BoxFuture<'static, Result<(), IndexError>> {
		Box::pin(async move {
			let Self { follower, loops, serving } = self;
			let reason = Arc::<Mutex<Option<IndexError>>>::default();
			let (said, turns) = (reason.clone(), loops.clone());
			let work = Box::pin(async move {
				let error = follower.run(&turns).await;
				*said.locked() = Some(error);
			});
			let part = Part { name: LOOP, longest: LONGEST, work };
			match stop.unless_stopped(supervise(&loops, vec![part])).await {
				Some(ended) => Err(reason.locked().take().unwrap_or(ended.into())),
				None => {
					serving.ended().await;
					Ok(())
				},
			}
		})
	}
}
