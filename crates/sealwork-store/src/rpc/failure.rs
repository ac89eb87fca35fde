//! Failures as Kubo words them.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sealwork_ports::{ErrorKind, PortError};
use serde_json::json;
use std::error::Error;

/// A failed command.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: String,
}

impl Failure {
    /// The request makes no sense.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, message: message.into() }
    }

    pub(super) fn with_status(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// The command was understood and failed.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, message: message.into() }
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        // Clients tell a missing block from other failures by this wording of Kubo's.
        let prefix = if error.kind == ErrorKind::NotFound { "ipld: could not find: " } else { "" };
        let mut message = format!("{prefix}{error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        if !matches!(error.kind, ErrorKind::NotFound) {
            tracing::debug!(%message, "command failed");
        }
        Self::failed(message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let code = i32::from(self.status.is_client_error());
        (self.status, Json(json!({ "Message": self.message, "Code": code, "Type": "error" }))).into_response()
    }
}
