//! The Book: supply and demand, filtered, checked and sorted.

use crate::{Client, ClientError, OrderReport};
use sealwork_ports::PostedOrder;
use sealwork_types::{
    B256,
    signed_order::{Order, OrderKind},
};

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookFilter {
    /// Only this kind.
    pub kind: Option<OrderKind>,
    /// Only orders of, for or open to this app.
    pub app: Option<B256>,
    /// Only orders of, for or open to this pool.
    pub pool: Option<B256>,
    /// Only orders of this wallet.
    pub mine: bool,
    /// Also orders that cannot be matched or were taken off the Book.
    pub all: bool,
}

/// One entry of the Book with what the chain says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookEntry {
    /// The order as posted.
    pub posted: PostedOrder,
    /// Whether it can be matched.
    pub report: OrderReport,
}

impl Client {
    /// Posted orders that fit a filter: by kind, then cheapest first; of requests those that pay most first.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn book(&self, filter: &BookFilter) -> Result<Vec<BookEntry>, ClientError> {
        let mine = self.address();
        let mut entries = Vec::new();
        for posted in self.parts.book.posted().await? {
            let wanted = filter.kind.is_none_or(|kind| kind == posted.signed.order.kind())
                && (!filter.mine || posted.signer == mine)
                && (filter.all || !posted.withdrawn)
                && filter.app.is_none_or(|app| concerns_app(&posted.signed.order, app))
                && filter.pool.is_none_or(|pool| concerns_pool(&posted.signed.order, pool));
            if !wanted {
                continue;
            }
            let report = self.order_report(&posted.signed).await?;
            if filter.all || report.is_valid() {
                entries.push(BookEntry { posted, report });
            }
        }
        entries.sort_by_key(rank);
        Ok(entries)
    }
}

fn rank(entry: &BookEntry) -> (OrderKind, bool, sealwork_types::U256) {
    let order = &entry.posted.signed.order;
    let price = match order {
        Order::Request(_) => sealwork_types::U256::MAX.saturating_sub(order.price()),
        Order::App(_) | Order::Dataset(_) | Order::Pool(_) => order.price(),
    };
    (order.kind(), !entry.report.is_valid(), price)
}

/// Whether an order is of this app, for it, or does not exclude it.
fn concerns_app(order: &Order, app: B256) -> bool {
    let open = |restriction: B256| restriction.is_zero() || restriction == app;
    match order {
        Order::App(order) => order.app == app,
        Order::Request(order) => order.app == app,
        Order::Dataset(order) => open(order.appRestrict),
        Order::Pool(order) => open(order.appRestrict),
    }
}

/// Whether an order is of this pool, for it, or does not exclude it.
fn concerns_pool(order: &Order, pool: B256) -> bool {
    let open = |restriction: B256| restriction.is_zero() || restriction == pool;
    match order {
        Order::Pool(order) => order.pool == pool,
        Order::App(order) => open(order.poolRestrict),
        Order::Dataset(order) => open(order.poolRestrict),
        Order::Request(order) => open(order.poolRestrict),
    }
}
