//! The worker's HTTP page.

use crate::world::World;
use sealwork_ports::{ErrorKind, RequestTaker};
use sealwork_types::progress::RefusedRequest;
use sealwork_worker::{HttpWorker, Worker, WorkerStatus, serve_status};
use tokio::net::TcpListener;

pub(crate) async fn serve(worker: Worker) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve_status(worker, listener, std::future::pending()));
    url
}

async fn post(url: &str, body: Vec<u8>) -> (u16, String) {
    let answer = reqwest::Client::new().post(format!("{url}/v1/requests")).body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_request_is_accepted_over_http() {
    let world = World::new().await;
    let url = serve(world.worker(true)).await;
    let request = world.sign(world.order(1, 1));
    let accepted = HttpWorker::default().submit(&url, &request).await.unwrap();
    assert_eq!(accepted.deal, world.deal_of(request).id());
    assert_eq!(HttpWorker::default().status(&url).await.unwrap().queued, 1);
}

#[tokio::test]
async fn refusals_name_what_is_wrong() {
    let world = World::new().await;
    let url = serve(world.worker(true)).await;
    let error = HttpWorker::default().submit(&url, &world.sign(world.order(2, 1))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.to_string().contains("(unsuitable): the request's volume is 2"), "{error}");
    world.ledger.change(|state| state.balance = 1);
    let body = serde_json::to_vec(&world.sign(world.order(1, 1))).unwrap();
    let (status, text) = post(&url, body).await;
    let refused: RefusedRequest = serde_json::from_str(&text).unwrap();
    assert_eq!((status, refused.code.as_str()), (402, "not-covered"));
}

#[tokio::test]
async fn bodies_that_are_no_request_or_too_long_are_refused() {
    let world = World::new().await;
    let url = serve(world.worker(true)).await;
    let (status, text) = post(&url, b"{}".to_vec()).await;
    let refused: RefusedRequest = serde_json::from_str(&text).unwrap();
    assert_eq!((status, refused.code.as_str()), (400, "malformed"));
    assert_eq!(post(&url, vec![b' '; 1 << 20]).await.0, 413);
}

#[tokio::test]
async fn the_page_says_whether_requests_are_taken() {
    let (taking, other) = (World::new().await, World::new().await);
    let http = HttpWorker::default();
    assert!(http.takes(&serve(taking.worker(true)).await).await);
    let refusing = serve(other.worker(false)).await;
    assert!(!http.takes(&refusing).await);
    assert!(!http.takes("http://127.0.0.1:1").await, "nobody is there");
    let error = http.submit(&refusing, &other.sign(other.order(1, 1))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.to_string().contains("(disabled)"), "{error}");
}

#[test]
fn a_status_without_a_word_about_requests_means_none_are_taken() {
    let mut status =
        serde_json::to_value(WorkerStatus { takes_requests: true, ..Default::default() }).unwrap();
    status.as_object_mut().unwrap().remove("takes_requests").unwrap();
    let status: WorkerStatus = serde_json::from_value(status).unwrap();
    assert!(!status.takes_requests);
}
