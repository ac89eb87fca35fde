//! An enclave on a simulated platform.

use crate::SimPlatform;
use sealwork_ports::{Clock, ErrorKind, PortError, QuoteProvider, SystemClock};
use sealwork_types::{
    Measurement,
    evidence::{Evidence, ReportData, TeeKind},
};
use std::{fmt, sync::Arc};

/// What a process that runs a simulated enclave asks for evidence.
#[derive(Clone)]
pub struct SimEnclave {
    platform: SimPlatform,
    measurement: Measurement,
    debug: bool,
    clock: Arc<dyn Clock>,
}

impl SimEnclave {
    /// An enclave that runs `measurement` on `platform`, with the machine's clock.
    pub fn new(platform: SimPlatform, measurement: Measurement) -> Self {
        Self { platform, measurement, debug: false, clock: Arc::new(SystemClock) }
    }

    /// The same enclave with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The same enclave, started for debugging.
    #[must_use]
    pub fn debuggable(self) -> Self {
        Self { debug: true, ..self }
    }
}

impl QuoteProvider for SimEnclave {
    fn tee(&self) -> TeeKind {
        TeeKind::Sim
    }

    fn quote(&self, report_data: &ReportData) -> Result<Evidence, PortError> {
        self.platform.quote(self.measurement, report_data, self.debug, self.clock.unix_s()).map_err(|error| {
            PortError::because(ErrorKind::Local, "ask the simulated platform for evidence", error)
        })
    }
}

impl fmt::Debug for SimEnclave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimEnclave").field("measurement", &self.measurement).finish_non_exhaustive()
    }
}
