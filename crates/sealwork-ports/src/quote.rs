//! Where a process gets evidence about itself.

use crate::PortError;
use sealwork_types::evidence::{Evidence, ReportData, TeeKind};

/// The platform under a process: asks the hardware (or the simulator) for evidence.
pub trait QuoteProvider: Send + Sync + 'static {
    /// Kind of evidence it makes.
    fn tee(&self) -> TeeKind;

    /// Evidence that carries `report_data`. Blocks for milliseconds.
    ///
    /// # Errors
    /// [`PortError`] when the platform cannot make evidence now.
    fn quote(&self, report_data: &ReportData) -> Result<Evidence, PortError>;
}
