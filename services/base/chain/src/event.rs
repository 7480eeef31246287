//! Events, read by the names of their fields.
//!
//! A runtime may add fields, and may change their order: what is read is what has the name. One
//! that lacks a field, or has it in another form, is an error and never passed over.

use crate::{ChainError, plain::Plain};
use codec::{Decode, DecodeAll};
use subxt::{
	Metadata,
	ext::scale_decode::visitor::{IgnoreVisitor, decode_with_visitor},
};

/// An event of a pallet, with typed fields: see [`crate::pallets`].
pub trait Event: Sized + sealed::Sealed {
	/// Its pallet's name.
	const PALLET: &'static str;
	/// Its name.
	const NAME: &'static str;
	/// The names of its fields.
	const FIELDS: &'static [&'static str];

	#[doc(hidden)]
	fn read(event: &RawEvent) -> Result<Self, ChainError>;
}

pub(crate) mod sealed {
	pub trait Sealed {}
}

/// An event as it came: its fields' names and SCALE bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
	pallet: String,
	name: String,
	fields: Vec<(String, Vec<u8>)>,
}

impl RawEvent {
	/// Takes an event apart, as the runtime of this metadata makes them: the pallet's and the
	/// event's number, and the SCALE bytes of all fields.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the metadata has no such event.
	pub fn new(
		metadata: &Metadata,
		pallet: u8,
		event: u8,
		mut bytes: &[u8],
	) -> Result<Self, ChainError> {
		let unknown = || ChainError::Unsupported(format!("the event {event} of pallet {pallet}"));
		let pallet = metadata.pallet_by_event_index(pallet).ok_or_else(unknown)?;
		let variant = pallet.event_variant_by_index(event).ok_or_else(unknown)?;
		let mut fields = Vec::with_capacity(variant.fields.len());
		for (place, field) in variant.fields.iter().enumerate() {
			let (before, ignore) = (bytes, IgnoreVisitor::new());
			decode_with_visitor(&mut bytes, field.ty.id, metadata.types(), ignore)
				.map_err(|_| unknown())?;
			let length = before.len().saturating_sub(bytes.len());
			let value = before.get(..length).unwrap_or_default().to_vec();
			fields.push((field.name.clone().unwrap_or_else(|| place.to_string()), value));
		}
		if !bytes.is_empty() {
			return Err(unknown());
		}
		Ok(Self { pallet: pallet.name().to_string(), name: variant.name.clone(), fields })
	}

	/// Name of its pallet, for output.
	pub fn pallet(&self) -> &str {
		&self.pallet
	}

	/// Its name, for output.
	pub fn name(&self) -> &str {
		&self.name
	}

	/// Its fields in plain JSON, and whatever they hold in 32 bytes: accounts, keys, hashes. What is too
	/// long to be shown is `null`.
	pub(crate) fn plain(&self, metadata: &Metadata) -> Plain {
		let known = metadata.pallet_by_name(&self.pallet);
		let variants = known.and_then(|pallet| pallet.event_variants()).unwrap_or_default();
		let variant = variants.iter().find(|variant| variant.name == self.name);
		let types = variant.map(|variant| variant.fields.as_slice()).unwrap_or_default();
		let mut plain = Plain::default();
		let mut members = serde_json::Map::new();
		for ((name, bytes), field) in self.fields.iter().zip(types) {
			members.insert(name.clone(), plain.read(bytes, field.ty.id, metadata.types()));
		}
		plain.json = members.into();
		plain
	}

	/// Is it of this kind?
	pub fn is<E: Event>(&self) -> bool {
		self.pallet == E::PALLET && self.name == E::NAME
	}

	/// The event; `None` if it is of another kind.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if it lacks a field or has it in another form.
	pub fn read<E: Event>(&self) -> Option<Result<E, ChainError>> {
		self.is::<E>().then(|| E::read(self))
	}

	/// A field by its name.
	pub(crate) fn field<T: Decode>(&self, field: &str) -> Result<T, ChainError> {
		let unsupported = || {
			let Self { pallet, name, .. } = self;
			ChainError::Unsupported(format!("the field {field} of the event {pallet}.{name}"))
		};
		let (_, bytes) =
			self.fields.iter().find(|(name, _)| name == field).ok_or_else(unsupported)?;
		T::decode_all(&mut &bytes[..]).map_err(|_| unsupported())
	}
}

/// All events of a kind, in order.
pub(crate) fn all<E: Event>(events: &[RawEvent]) -> Result<Vec<E>, ChainError> {
	events.iter().filter_map(RawEvent::read).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::pallets::meter_readings::event::BatchAccepted;
	use codec::Encode;
	use gridproof_primitives::H256;

	fn raw(fields: &[(&str, Vec<u8>)]) -> RawEvent {
		let fields = fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
		let (pallet, name) = ("MeterReadings".to_string(), "BatchAccepted".to_string());
		RawEvent { pallet, name, fields }
	}

	fn fields() -> Vec<(&'static str, Vec<u8>)> {
		vec![
			("meter", 7u32.encode()),
			("sequence", 8u64.encode()),
			("header_hash", H256([9; 32]).encode()),
			("minted", 10u64.encode()),
		]
	}

	const EVENT: BatchAccepted =
		BatchAccepted { meter: 7, sequence: 8, header_hash: H256([9; 32]), minted: 10 };

	#[test]
	fn fields_are_read_by_their_names_in_any_order() {
		assert_eq!(raw(&fields()).read(), Some(Ok(EVENT)));
		let mut turned = fields();
		turned.reverse();
		assert_eq!(raw(&turned).read(), Some(Ok(EVENT)));
		let mut more = fields();
		more.insert(0, ("site", 3u32.encode()));
		assert_eq!(raw(&more).read(), Some(Ok(EVENT)), "a new first field does not shift others");
	}

	#[test]
	fn a_missing_or_changed_field_is_an_error() {
		for place in 0..4 {
			let mut fewer = fields();
			let (name, _) = fewer.remove(place);
			let read = raw(&fewer).read::<BatchAccepted>();
			let text = format!("the field {name} of the event MeterReadings.BatchAccepted");
			assert_eq!(read, Some(Err(ChainError::Unsupported(text.clone()))));
			let mut longer = fields();
			longer[place].1.push(0);
			let read = raw(&longer).read::<BatchAccepted>();
			assert_eq!(read, Some(Err(ChainError::Unsupported(text))));
		}
		let mut broken = fields();
		broken[0].1.pop();
		assert!(all::<BatchAccepted>(&[raw(&fields()), raw(&broken)]).is_err(), "none is skipped");
	}

	#[test]
	fn other_events_are_passed_over() {
		let mut other = raw(&fields());
		other.name = "BatchRefused".to_string();
		assert_eq!(other.read::<BatchAccepted>(), None);
		let events = [raw(&fields()), other, raw(&fields())];
		assert_eq!(all::<BatchAccepted>(&events), Ok(vec![EVENT, EVENT]));
	}
}
