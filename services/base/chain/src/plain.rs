//! SCALE values as plain JSON, by the types that a runtime's metadata describes: for what has no type of
//! ours, such as the events of a pallet that is new.
//!
//! Accounts are addresses, bytes `0x` and hexadecimal digits. Whole numbers of 128 bits and more, and those
//! that a reader of JSON would round, are strings.

use gridproof_keys::account::address;
use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;
use subxt::ext::scale_value::{Composite, Primitive, Value, ValueDef, scale::decode_as_type};

/// The largest whole number that every reader of JSON keeps as it is.
const EXACT: u128 = (1 << 53) - 1;
/// Bytes of a field that is shown.
const MAX_BYTES: usize = 16 << 10;
/// Things of 32 bytes that are noted of one event.
const MAX_NAMED: usize = 4_096;

/// What was read, and what it names.
#[derive(Debug, Default)]
pub(crate) struct Plain {
	/// The values that were read.
	pub(crate) json: Json,
	/// Whatever has 32 bytes: accounts, keys, hashes.
	pub(crate) named: BTreeSet<[u8; 32]>,
}

impl Plain {
	/// A value of this type; `null` if it is none, or too long to be shown.
	pub(crate) fn read(&mut self, mut bytes: &[u8], id: u32, types: &PortableRegistry) -> Json {
		if bytes.len() > MAX_BYTES {
			return Json::Null;
		}
		match decode_as_type(&mut bytes, id, types) {
			Ok(value) => self.shown(&value, types),
			Err(_) => Json::Null,
		}
	}

	fn shown(&mut self, value: &Value<u32>, types: &PortableRegistry) -> Json {
		let known = types.resolve(value.context);
		if let Some(bytes) = known.and_then(|known| bytes_of(value, &known.type_def, types)) {
			let whole = <[u8; 32]>::try_from(bytes.as_slice());
			if let Some(whole) = whole.ok().filter(|_| self.named.len() < MAX_NAMED) {
				self.named.insert(whole);
			}
			return format!("0x{}", hex::encode(bytes)).into();
		}
		let is_list = known.is_some_and(|known| {
			matches!(known.type_def, TypeDef::Sequence(_) | TypeDef::Array(_))
		});
		match &value.value {
			// A list of one is a list, or nobody could tell it from what is in it.
			ValueDef::Composite(Composite::Unnamed(items)) if is_list => {
				items.iter().map(|item| self.shown(item, types)).collect()
			},
			ValueDef::Composite(fields) => {
				let shown = self.fields(fields, types);
				let is_account = known
					.and_then(|known| known.path.ident())
					.is_some_and(|name| name == "AccountId32");
				if is_account { as_address(&shown).unwrap_or(shown) } else { shown }
			},
			ValueDef::Variant(variant) => match (variant.name.as_str(), variant.values.len()) {
				("None", 0) => Json::Null,
				(name, 0) => name.into(),
				("Some", 1) => self.fields(&variant.values, types),
				(name, _) => {
					let fields = self.fields(&variant.values, types);
					Map::from_iter([(name.to_string(), fields)]).into()
				},
			},
			ValueDef::BitSequence(bits) => {
				bits.iter().map(|bit| if bit { '1' } else { '0' }).collect::<String>().into()
			},
			ValueDef::Primitive(primitive) => number(primitive, is_wide(value.context, types)),
		}
	}

	/// What has one field without a name is what that field is.
	fn fields(&mut self, fields: &Composite<u32>, types: &PortableRegistry) -> Json {
		match fields {
			Composite::Named(fields) => {
				let named =
					fields.iter().map(|(name, value)| (name.clone(), self.shown(value, types)));
				named.collect::<Map<_, _>>().into()
			},
			Composite::Unnamed(fields) => match fields.as_slice() {
				[one] => self.shown(one, types),
				fields => fields.iter().map(|value| self.shown(value, types)).collect(),
			},
		}
	}
}

/// The bytes of an array or a list of bytes; `None` of anything else.
fn bytes_of(
	value: &Value<u32>,
	type_def: &TypeDef<scale_info::form::PortableForm>,
	types: &PortableRegistry,
) -> Option<Vec<u8>> {
	let item = match type_def {
		TypeDef::Array(array) => array.type_param.id,
		TypeDef::Sequence(list) => list.type_param.id,
		_ => return None,
	};
	let is_byte = matches!(types.resolve(item)?.type_def, TypeDef::Primitive(TypeDefPrimitive::U8));
	let ValueDef::Composite(Composite::Unnamed(items)) = &value.value else { return None };
	if !is_byte {
		return None;
	}
	items.iter().map(|item| u8::try_from(item.as_u128()?).ok()).collect()
}

fn as_address(shown: &Json) -> Option<Json> {
	let mut account = [0; 32];
	hex::decode_to_slice(shown.as_str()?.strip_prefix("0x")?, &mut account).ok()?;
	Some(address(&account).into())
}

/// Has a number of this type 128 bits or more?
fn is_wide(id: u32, types: &PortableRegistry) -> bool {
	match types.resolve(id).map(|known| &known.type_def) {
		Some(TypeDef::Compact(inner)) => is_wide(inner.type_param.id, types),
		Some(TypeDef::Primitive(primitive)) => matches!(
			primitive,
			TypeDefPrimitive::U128
				| TypeDefPrimitive::U256
				| TypeDefPrimitive::I128
				| TypeDefPrimitive::I256
		),
		_ => false,
	}
}

fn number(primitive: &Primitive, is_wide: bool) -> Json {
	match primitive {
		Primitive::Bool(value) => (*value).into(),
		Primitive::Char(value) => value.to_string().into(),
		Primitive::String(value) => value.clone().into(),
		Primitive::U128(value) => match u64::try_from(*value) {
			Ok(small) if !is_wide && *value <= EXACT => small.into(),
			_ => value.to_string().into(),
		},
		Primitive::I128(value) => match i64::try_from(*value) {
			Ok(small) if !is_wide && value.unsigned_abs() <= EXACT => small.into(),
			_ => value.to_string().into(),
		},
		Primitive::U256(bytes) | Primitive::I256(bytes) => {
			format!("0x{}", hex::encode(bytes)).into()
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use scale_info::{MetaType, Registry, TypeInfo};
	use serde_json::json;
	use sp_runtime::AccountId32;

	fn read<T: Encode + TypeInfo + 'static>(value: &T) -> (Json, Vec<[u8; 32]>) {
		let mut registry = Registry::new();
		let id = registry.register_type(&MetaType::new::<T>()).id;
		let mut plain = Plain::default();
		let shown = plain.read(&value.encode(), id, &registry.into());
		(shown, plain.named.into_iter().collect())
	}

	#[derive(Encode, TypeInfo)]
	struct Row {
		who: AccountId32,
		hash: [u8; 32],
		text: Vec<u8>,
		small: u64,
		large: u64,
		amount: u128,
		#[codec(compact)]
		dense: u128,
		list: Vec<u16>,
		one: Option<bool>,
		none: Option<bool>,
	}

	#[derive(Encode, TypeInfo)]
	enum Kind {
		Plain,
		With { number: i32 },
	}

	#[test]
	fn a_value_is_shown_by_its_type_and_what_has_32_bytes_is_noted() {
		let row = Row {
			who: AccountId32::new([1; 32]),
			hash: [2; 32],
			text: vec![1, 255],
			small: 9_007_199_254_740_991,
			large: 9_007_199_254_740_992,
			amount: 7,
			dense: 8,
			list: vec![1, 2],
			one: Some(true),
			none: None,
		};
		let (shown, named) = read(&row);
		assert_eq!(
			shown,
			json!({
				"who": address(&[1; 32]),
				"hash": format!("0x{}", "02".repeat(32)),
				"text": "0x01ff",
				"small": 9_007_199_254_740_991u64,
				"large": "9007199254740992",
				"amount": "7",
				"dense": "8",
				"list": [1, 2],
				"one": true,
				"none": null,
			})
		);
		assert_eq!(named, [[1; 32], [2; 32]]);
	}

	#[test]
	fn variants_are_their_names_with_their_fields_if_they_have_any() {
		assert_eq!(read(&Kind::Plain).0, json!("Plain"));
		assert_eq!(read(&Kind::With { number: -5 }).0, json!({"With": {"number": -5}}));
	}

	#[test]
	fn a_list_of_one_is_a_list() {
		assert_eq!(read(&vec![7u16]).0, json!([7]));
		assert_eq!(read(&vec![(7u16, true)]).0, json!([[7, true]]));
		assert_eq!(read(&vec![vec![1u8, 2]]).0, json!(["0x0102"]));
		assert_eq!(read(&[Some(7u16)]).0, json!([7]));
	}

	#[test]
	fn what_is_too_long_or_no_such_value_is_null() {
		assert_eq!(read(&vec![0u8; MAX_BYTES]).0, Json::Null);
		let mut registry = Registry::new();
		let id = registry.register_type(&MetaType::new::<u64>()).id;
		assert_eq!(Plain::default().read(&[1, 2], id, &registry.into()), Json::Null);
	}
}
