//! Orders of all four kinds as one type, and the JSON document in which a signed one travels.

use crate::{
    B256, Bytes, OrderHash, U256,
    abi::{AppOrder, DatasetOrder, PoolOrder, RequestOrder, kind},
    bounded::{DocumentError, parse_json},
    order::SigningDomain,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// Largest document with an order that is read.
pub const MAX_ORDER_DOCUMENT_BYTES: usize = 64 * 1024;
/// Volume of an app, dataset or pool order that never runs out.
pub const UNLIMITED: u32 = u32::MAX;

const DOCUMENT: &str = "order document";

/// Which of the four orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderKind {
    /// A developer offers an app.
    App,
    /// The owner of a dataset lets apps use it.
    Dataset,
    /// A pool offers execution.
    Pool,
    /// A requester asks for tasks.
    Request,
}

impl OrderKind {
    /// Number in the Book and in errors.
    pub const fn code(self) -> u8 {
        match self {
            Self::App => kind::APP,
            Self::Dataset => kind::DATASET,
            Self::Pool => kind::POOL,
            Self::Request => kind::REQUESTER,
        }
    }

    /// Name in documents and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Dataset => "dataset",
            Self::Pool => "pool",
            Self::Request => "request",
        }
    }
}

impl fmt::Display for OrderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no kind of order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no kind of order; the kinds are app, dataset, pool and request")]
pub struct OrderKindError {
    /// What was given.
    pub given: String,
}

impl FromStr for OrderKind {
    type Err = OrderKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::App, Self::Dataset, Self::Pool, Self::Request]
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| OrderKindError { given: text.chars().take(40).collect() })
    }
}

/// An order of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Of an app.
    App(Box<AppOrder>),
    /// Of a dataset.
    Dataset(Box<DatasetOrder>),
    /// Of a pool.
    Pool(Box<PoolOrder>),
    /// Of a requester.
    Request(Box<RequestOrder>),
}

/// Evaluates an expression on whichever order it is.
macro_rules! each {
    ($order:expr, $bound:ident => $value:expr) => {
        match $order {
            Order::App($bound) => $value,
            Order::Dataset($bound) => $value,
            Order::Pool($bound) => $value,
            Order::Request($bound) => $value,
        }
    };
}

impl Order {
    /// Which of the four.
    pub const fn kind(&self) -> OrderKind {
        match self {
            Self::App(_) => OrderKind::App,
            Self::Dataset(_) => OrderKind::Dataset,
            Self::Pool(_) => OrderKind::Pool,
            Self::Request(_) => OrderKind::Request,
        }
    }

    /// EIP-712 signing hash, which is also the order's name on chain.
    pub fn hash(&self, domain: &SigningDomain) -> OrderHash {
        each!(self, order => domain.order_hash(&**order))
    }

    /// Registry id of the app, dataset or pool; of a request the app.
    pub const fn subject(&self) -> B256 {
        match self {
            Self::App(order) => order.app,
            Self::Dataset(order) => order.dataset,
            Self::Pool(order) => order.pool,
            Self::Request(order) => order.app,
        }
    }

    /// Price of one task, smallest token units; of a request the most that it pays for one.
    pub fn price(&self) -> U256 {
        match self {
            Self::App(order) => U256::from(order.price),
            Self::Dataset(order) => U256::from(order.price),
            Self::Pool(order) => U256::from(order.price),
            Self::Request(order) => [order.appMaxPrice, order.datasetMaxPrice, order.poolMaxPrice]
                .into_iter()
                .fold(U256::ZERO, |sum, price| sum.saturating_add(U256::from(price))),
        }
    }

    /// Tasks covered or wanted.
    pub const fn volume(&self) -> u32 {
        each!(self, order => order.volume)
    }

    /// Last second in which it can be matched, since 1970.
    pub const fn expiry(&self) -> u64 {
        each!(self, order => order.expiry)
    }

    /// Nonce of the signer that it was signed with.
    pub const fn nonce(&self) -> u64 {
        each!(self, order => order.nonce)
    }

    /// What makes it different from others.
    pub const fn salt(&self) -> B256 {
        each!(self, order => order.salt)
    }

    /// Reads the fields of an order of a known kind.
    ///
    /// # Errors
    /// [`DocumentError`] for a missing or malformed field, or one that this kind does not have.
    pub fn from_fields(kind: OrderKind, fields: Value) -> Result<Self, DocumentError> {
        Ok(match kind {
            OrderKind::App => Self::App(read(fields)?),
            OrderKind::Dataset => Self::Dataset(read(fields)?),
            OrderKind::Pool => Self::Pool(read(fields)?),
            OrderKind::Request => Self::Request(read(fields)?),
        })
    }

    /// The order's fields as JSON.
    ///
    /// # Panics
    /// Never: orders always serialize.
    pub fn fields(&self) -> Value {
        each!(self, order => serde_json::to_value(order)).expect("numbers and hashes always serialize")
    }
}

fn read<T: DeserializeOwned>(fields: Value) -> Result<Box<T>, DocumentError> {
    serde_json::from_value(fields).map_err(|error| {
        let problem = format!("is unusable: {error}");
        DocumentError::Value { kind: DOCUMENT, field: "order", problem }
    })
}

/// An order with its signature and the deployment that it was signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOrder {
    /// Chain and market.
    pub domain: SigningDomain,
    /// The order.
    pub order: Order,
    /// 65 bytes, 64 bytes (EIP-2098) or whatever a contract account accepts; empty for an order approved on chain.
    pub signature: Bytes,
}

/// How a [`SignedOrder`] looks as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<T> {
    version: u16,
    kind: OrderKind,
    order: T,
    signature: Bytes,
    domain: SigningDomain,
}

/// What says how to read the rest of a document.
#[derive(Deserialize)]
struct Outline {
    version: u16,
    kind: OrderKind,
}

impl SignedOrder {
    /// Version that is written and read.
    pub const VERSION: u16 = 1;

    /// The order's name on chain.
    pub fn hash(&self) -> OrderHash {
        self.order.hash(&self.domain)
    }

    /// Reads a document of at most [`MAX_ORDER_DOCUMENT_BYTES`].
    ///
    /// # Errors
    /// [`DocumentError`] for size, syntax, unknown fields or another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let Outline { version, kind } = parse_json(DOCUMENT, bytes, MAX_ORDER_DOCUMENT_BYTES)?;
        if version != Self::VERSION {
            let problem = format!("is {version}, this version reads {}", Self::VERSION);
            return Err(DocumentError::Value { kind: DOCUMENT, field: "version", problem });
        }
        match kind {
            OrderKind::App => Self::read(bytes, Order::App),
            OrderKind::Dataset => Self::read(bytes, Order::Dataset),
            OrderKind::Pool => Self::read(bytes, Order::Pool),
            OrderKind::Request => Self::read(bytes, Order::Request),
        }
    }

    /// Reads the fields straight out of the bytes: a tree in between would keep one of two fields of the same name.
    fn read<T: DeserializeOwned>(bytes: &[u8], wrap: fn(Box<T>) -> Order) -> Result<Self, DocumentError> {
        let document: Document<Box<T>> = parse_json(DOCUMENT, bytes, MAX_ORDER_DOCUMENT_BYTES)?;
        Ok(Self { domain: document.domain, order: wrap(document.order), signature: document.signature })
    }

    /// The document.
    ///
    /// # Panics
    /// Never: orders always serialize.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("numbers and hashes always serialize")
    }
}

impl Serialize for SignedOrder {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Document {
            version: Self::VERSION,
            kind: self.order.kind(),
            order: self.order.fields(),
            signature: self.signature.clone(),
            domain: self.domain,
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;
    use alloy_primitives::aliases::U96;

    fn signed() -> SignedOrder {
        let order = AppOrder {
            app: B256::repeat_byte(1),
            price: U96::from(5),
            volume: UNLIMITED,
            tag: B256::ZERO,
            datasetRestrict: B256::ZERO,
            poolRestrict: B256::ZERO,
            requesterRestrict: B256::ZERO,
            expiry: 9,
            nonce: 0,
            salt: B256::repeat_byte(2),
        };
        let domain = SigningDomain { chain_id: 1, market: Address::repeat_byte(3) };
        SignedOrder { domain, order: Order::App(Box::new(order)), signature: vec![7; 65].into() }
    }

    #[test]
    fn documents_round_trip() {
        let signed = signed();
        assert_eq!(SignedOrder::parse(signed.to_value().to_string().as_bytes()).unwrap(), signed);
    }

    #[test]
    fn unknown_and_missing_fields_and_other_versions_are_refused() {
        let genuine = signed().to_value();
        let refused = |change: &dyn Fn(&mut Value)| {
            let mut document = genuine.clone();
            change(&mut document);
            let error = SignedOrder::parse(document.to_string().as_bytes()).unwrap_err();
            match std::error::Error::source(&error) {
                Some(source) => source.to_string(),
                None => error.to_string(),
            }
        };
        assert!(refused(&|document| document["order"]["prize"] = 1.into()).contains("unknown field `prize`"));
        assert!(refused(&|document| document["version"] = 2.into()).contains("this version reads 1"));
        assert!(refused(&|document| document["kind"] = "pool".into()).contains("unknown field `app`"));
        assert!(refused(&|document| document["more"] = 1.into()).contains("unknown field `more`"));
    }

    #[test]
    fn repeated_fields_are_refused() {
        let text = signed().to_value().to_string();
        let twice = text.replacen("\"volume\":", "\"volume\":1,\"volume\":", 1);
        let error = SignedOrder::parse(twice.as_bytes()).unwrap_err();
        let DocumentError::Syntax { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().contains("duplicate field `volume`"), "{source}");
    }

    #[test]
    fn kinds_have_names() {
        for kind in [OrderKind::App, OrderKind::Dataset, OrderKind::Pool, OrderKind::Request] {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("offer".parse::<OrderKind>().unwrap_err().to_string().contains("app, dataset, pool"));
    }
}
