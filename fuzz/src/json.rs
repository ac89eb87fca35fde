//! Documents in JSON: changes to valid ones, and what holds for every one that was accepted.

use crate::memory::{bounded, linear};
use arbitrary::{Result, Unstructured};
use serde::{
    Serialize,
    de::{self, Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, json};
use std::{
    fmt::{self, Debug},
    sync::LazyLock,
};

/// JSON text costs at most this many bytes of memory for one of its own: a `Value` of 32 bytes for each `0,`, doubled
/// while a vector grows, and text that is copied for an error.
const FACTOR: usize = 96;
const BASE: usize = 64 * 1024;
/// Changes to one sample, so that what doubles stays small.
const MOST_CHANGES: usize = 8;
/// Values that one change may add.
const MOST_VALUES: usize = 400;

/// Reads `data` with `parse` and asserts: not above `limit`, memory in proportion, nothing dropped or repeated, and what
/// is written again is read as the same. Gives the value if it was accepted.
pub fn check<T, E: Debug>(data: &[u8], limit: usize, parse: impl Fn(&[u8]) -> Result<T, E>) -> Option<T>
where
    T: Serialize + PartialEq + Debug,
{
    let value = bounded(linear(BASE, FACTOR, data), || parse(data)).ok()?;
    assert!(data.len() <= limit, "{} bytes were read, the limit is {limit}", data.len());
    let again = serde_json::to_vec(&value).expect("what was read can be written");
    if again.len() > limit {
        return None;
    }
    let reread = parse(&again).expect("what was written can be read");
    assert_eq!(reread, value, "reading and writing changes a document");
    assert_eq!(serde_json::to_vec(&reread).ok().as_ref(), Some(&again), "one value has two encodings");
    let keys = |bytes: &[u8]| serde_json::from_slice::<Keys>(bytes).map_or(0, |keys| keys.0);
    assert_eq!(
        keys(data),
        keys(&again),
        "a field was dropped or repeated:\n{}",
        String::from_utf8_lossy(data)
    );
    Some(value)
}

/// [`check`] for what has no reader of its own.
pub fn check_plain<T>(data: &[u8]) -> Option<T>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    check(data, usize::MAX, |bytes| serde_json::from_slice::<T>(bytes))
}

/// Either the bytes themselves, or a sample changed as the bytes say: half of the inputs get past the syntax.
pub fn document(data: &[u8], sample: impl FnOnce() -> Value) -> Vec<u8> {
    match data.split_first() {
        Some((choice, script)) if choice & 1 == 1 => changed(sample(), script).to_string().into_bytes(),
        Some((_, raw)) => raw.to_vec(),
        None => Vec::new(),
    }
}

/// Samples by their number, made once: most of them are signed.
pub struct Samples<const N: usize>(LazyLock<[Value; N]>);

impl<const N: usize> Samples<N> {
    pub const fn new(make: fn() -> [Value; N]) -> Self {
        Self(LazyLock::new(make))
    }

    pub fn get(&self, number: u8) -> Value {
        self.0[usize::from(number) % N].clone()
    }
}

/// A sample after the changes that `script` asks for.
pub fn changed(mut value: Value, script: &[u8]) -> Value {
    let mut script = Unstructured::new(script);
    for _ in 0..MOST_CHANGES {
        if script.is_empty() || change(&mut value, &mut script).is_err() {
            break;
        }
    }
    value
}

/// Walks down to some place and changes it.
fn change(value: &mut Value, script: &mut Unstructured<'_>) -> Result<()> {
    let here = script.ratio(1, 4)?;
    match value {
        Value::Object(fields) if !here && !fields.is_empty() => {
            let index = script.choose_index(fields.len())?;
            match fields.values_mut().nth(index) {
                Some(inner) => change(inner, script),
                None => Ok(()),
            }
        }
        Value::Array(items) if !here && !items.is_empty() => {
            let index = script.choose_index(items.len())?;
            change(&mut items[index], script)
        }
        Value::Object(fields) => change_fields(fields, script),
        Value::Array(items) => change_items(items, script),
        Value::String(text) if script.arbitrary()? => change_text(text, script),
        leaf => {
            *leaf = fresh(script)?;
            Ok(())
        }
    }
}

fn change_fields(fields: &mut Map<String, Value>, script: &mut Unstructured<'_>) -> Result<()> {
    let name = fields.keys().nth(script.choose_index(fields.len().max(1))?).cloned().unwrap_or_default();
    match script.int_in_range(0..=2)? {
        0 => drop(fields.remove(&name)),
        1 => drop(fields.insert(format!("{name}{}", script.arbitrary::<char>()?), fresh(script)?)),
        _ => drop(fields.insert(name, fresh(script)?)),
    }
    Ok(())
}

fn change_items(items: &mut Vec<Value>, script: &mut Unstructured<'_>) -> Result<()> {
    match items.first().cloned() {
        Some(first) if script.arbitrary()? => {
            let copies = script.int_in_range(1..=40)?.min(MOST_VALUES / weight(&first));
            items.extend(std::iter::repeat_n(first, copies));
        }
        Some(_) => items.truncate(script.choose_index(items.len())?),
        None => items.push(fresh(script)?),
    }
    Ok(())
}

fn change_text(text: &mut String, script: &mut Unstructured<'_>) -> Result<()> {
    let at = script.choose_index(text.len().max(1))?;
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    match script.int_in_range(0..=3)? {
        0 => text.truncate(at),
        1 => text.insert(at, script.arbitrary()?),
        2 => *text = text.to_uppercase(),
        _ => text.push_str(&text.clone()),
    }
    Ok(())
}

/// Number of values in a tree.
fn weight(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + 1,
        Value::Object(fields) => fields.values().map(weight).sum::<usize>() + 1,
        _ => 1,
    }
}

/// Values that readers stumble over.
fn fresh(script: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match script.int_in_range(0..=13)? {
        0 => Value::Null,
        1 => json!(script.arbitrary::<bool>()?),
        2 => json!(script.arbitrary::<i64>()?),
        3 => json!(script.arbitrary::<u64>()?),
        4 => json!(script.arbitrary::<u16>()?),
        5 => json!(script.arbitrary::<f64>()?),
        6 => json!(script.arbitrary::<String>()?),
        7 => json!("0x"),
        8 => json!(format!("0x{}", alloy_primitives::hex::encode(script.arbitrary::<Vec<u8>>()?))),
        9 => json!(alloy_primitives::B256::repeat_byte(script.arbitrary()?)),
        10 => json!(u64::MAX),
        11 => json!([]),
        12 => json!({}),
        _ => (0..script.int_in_range(0..=130)?).fold(json!(1), |inner, _| json!([inner])),
    })
}

/// Number of fields with a value, in all objects; `null` is what an absent field means.
struct Keys(usize);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Count).map(|count| Self(count.unwrap_or(0)))
    }
}

/// Counts without building a tree, in which a repeated field would vanish. `None` for `null`.
#[derive(Clone, Copy)]
struct Count;

impl<'de> de::DeserializeSeed<'de> for Count {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! leaves {
    ($($method:ident: $kind:ty),*) => {$(
        fn $method<E>(self, _: $kind) -> std::result::Result<Self::Value, E> {
            Ok(Some(0))
        }
    )*};
}

impl<'de> Visitor<'de> for Count {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    leaves!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Self::Value, A::Error> {
        let mut sum = 0;
        while let Some(count) = items.next_element_seed(self)? {
            sum += count.unwrap_or(0);
        }
        Ok(Some(sum))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> std::result::Result<Self::Value, A::Error> {
        let mut sum = 0;
        while fields.next_key::<de::IgnoredAny>()?.is_some() {
            sum += fields.next_value_seed(self)?.map_or(0, |count| count + 1);
        }
        Ok(Some(sum))
    }
}
