//! JSON and queries in a request.

use crate::ApiError;
use axum::{
	Json,
	body::Bytes,
	extract::{FromRequest, FromRequestParts, Query, Request, rejection::JsonRejection},
	http::{StatusCode, request::Parts},
};
use serde::{
	Deserialize, Deserializer,
	de::{DeserializeOwned, Error as _},
};
use serde_json::{Map, Number, Value};
use utoipa::{
	PartialSchema, ToSchema,
	openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

/// A request's JSON, an object. A mistake in it is answered as an [`ApiError`]: `bad_request`, or
/// `payload_too_large`. Where a whole number is due, `5.0` is one, as JSON Schema has it.
pub struct Body<T>(pub T);

/// Below it no two whole numbers are one `f64`: 2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes numbers such as `5.0` as whole ones; returns `false` if there were none.
pub fn make_whole(value: &mut Value) -> bool {
	match value {
		Value::Array(items) => items.iter_mut().fold(false, |any, item| make_whole(item) | any),
		Value::Object(members) => {
			members.values_mut().fold(false, |any, member| make_whole(member) | any)
		},
		Value::Number(number) if number.is_f64() => match whole(number) {
			Some(whole) => {
				*number = whole;
				true
			},
			None => false,
		},
		_ => false,
	}
}

/// Returns the whole number that one with a point or an exponent is, if it is one. Digits are kept as they were
/// written, however many there are.
fn whole(number: &Number) -> Option<Number> {
	let text = number.to_string();
	if let Some((digits, fraction)) = text.split_once('.')
		&& fraction.bytes().all(|byte| byte == b'0')
	{
		return match digits.parse::<u64>() {
			Ok(whole) => Some(whole.into()),
			Err(_) => digits.parse::<i64>().ok().map(Number::from),
		};
	}
	let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < EXACT)?;
	format!("{float:.0}").parse::<i64>().ok().map(Number::from)
}

async fn read<T: DeserializeOwned, S: Send + Sync>(
	request: Request,
	state: &S,
) -> Result<T, JsonRejection> {
	let (parts, body) = request.into_parts();
	let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), state).await?;
	let again = || Request::from_parts(parts.clone(), bytes.clone().into());
	// The entries of a list would be taken for the members of an object.
	if !bytes.trim_ascii_start().starts_with(b"{") {
		let object = Json::<Map<String, Value>>::from_request(again(), state).await;
		object.map(|_| ())?;
	}
	match Json::<T>::from_request(again(), state).await {
		Ok(Json(value)) => Ok(value),
		Err(JsonRejection::JsonDataError(error)) => {
			let mut value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
			let whole = make_whole(&mut value).then(|| serde_json::from_value(value));
			whole.and_then(Result::ok).ok_or(JsonRejection::JsonDataError(error))
		},
		Err(rejection) => Err(rejection),
	}
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
	type Rejection = ApiError;

	async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
		match read(request, state).await {
			Ok(value) => Ok(Self(value)),
			Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
				let sentence = "the request's body is too long";
				Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", sentence))
			},
			Err(rejection) => Err(ApiError::bad_request(rejection.body_text())),
		}
	}
}

/// What stands behind the `?` of a request. A mistake in it is answered as an [`ApiError`]:
/// `bad_request`.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
	type Rejection = ApiError;

	async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
		match Query::<T>::from_request_parts(parts, state).await {
			Ok(Query(value)) => Ok(Self(value)),
			Err(rejection) => Err(ApiError::bad_request(rejection.body_text())),
		}
	}
}

/// Returns how many entries a page has: what is asked for, or `default`.
///
/// # Errors
/// `bad_request` if 0 is asked for, or more than `most`.
pub fn page_limit(asked: Option<u32>, default: u32, most: u32) -> Result<u32, ApiError> {
	let limit = asked.unwrap_or(default);
	if limit == 0 || limit > most {
		return Err(ApiError::bad_request(format!("limit is 1 to {most}")));
	}
	Ok(limit)
}

/// A whole number of a query as far as `int64` goes, which is how an OpenAPI document describes it: 0 to
/// 2⁶³ - 1. What is larger is refused, since no database has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whole(pub u64);

impl PartialSchema for Whole {
	fn schema() -> RefOr<Schema> {
		ObjectBuilder::new()
			.schema_type(Type::Integer)
			.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
			.minimum(Some(0))
			.maximum(Some(i64::MAX))
			.into()
	}
}

impl ToSchema for Whole {}

impl<'de> Deserialize<'de> for Whole {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let number = u64::deserialize(deserializer)?;
		if i64::try_from(number).is_err() {
			let sentence = format!("{number} is too large: write at most {}", i64::MAX);
			return Err(D::Error::custom(sentence));
		}
		Ok(Self(number))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use axum::http::header::CONTENT_TYPE;

	async fn number(text: &str) -> Result<u64, String> {
		read_number(&format!("{{\"number\":{text}}}")).await
	}

	async fn read_number(body: &str) -> Result<u64, String> {
		let request = Request::post("/")
			.header(CONTENT_TYPE, "application/json")
			.body(body.to_owned().into())
			.unwrap();
		#[derive(serde::Deserialize)]
		struct Numbered {
			number: u64,
		}
		let read = Body::<Numbered>::from_request(request, &()).await;
		read.map(|Body(numbered)| numbered.number).map_err(|error| format!("{error:?}"))
	}

	#[tokio::test]
	async fn a_list_is_not_an_object_whose_members_it_has() {
		let error = read_number("[149]").await.unwrap_err();
		assert!(error.contains("bad_request") && error.contains("sequence"), "{error}");
	}

	#[tokio::test]
	async fn a_whole_number_with_a_point_is_a_whole_number_and_a_fraction_is_not() {
		assert_eq!(number("149").await.unwrap(), 149);
		assert_eq!(number("149.0").await.unwrap(), 149);
		assert_eq!(number("1.49e2").await.unwrap(), 149);
		// No float is in between that would take the last digit.
		assert_eq!(number("9007199254740993.0").await.unwrap(), 9_007_199_254_740_993);
		assert_eq!(number("18446744073709551615.00").await.unwrap(), u64::MAX);
		for wrong in
			["149.5", "-1.0", "1e300", "9007199254740993.5", "18446744073709551616.0", "\"149\""]
		{
			let error = number(wrong).await.unwrap_err();
			assert!(error.contains("bad_request") && error.contains("u64"), "{wrong}: {error}");
		}
	}

	#[tokio::test]
	async fn a_number_of_a_query_is_at_most_what_its_document_says() {
		#[derive(serde::Deserialize)]
		struct Since {
			#[serde(default)]
			since: Whole,
			before: Option<Whole>,
		}
		let read = async |query: &str| {
			let request = Request::get(format!("/?{query}")).body(axum::body::Body::empty());
			let (mut parts, _) = request.unwrap().into_parts();
			let Params(read) = Params::<Since>::from_request_parts(&mut parts, &()).await?;
			Ok::<_, ApiError>((read.since, read.before))
		};
		assert_eq!(read("").await, Ok((Whole(0), None)));
		let most = read("since=9223372036854775807&before=0").await;
		assert_eq!(most, Ok((Whole(u64::MAX >> 1), Some(Whole(0)))));
		for bad in ["since=9223372036854775808", "before=18446744073709551615"] {
			let error = read(bad).await.unwrap_err();
			assert_eq!((error.status(), error.word()), (StatusCode::BAD_REQUEST, "bad_request"));
			assert!(error.sentence().contains("at most 9223372036854775807"), "{error}");
		}
	}
}
