//! Evidence of the simulated TEE: shaped like a real one (vendor root, platform certificate, report), proves nothing
//! about hardware.
//!
//! ```text
//! offset  bytes  field (integers big-endian)
//!      0      4  magic "SWSM"
//!      4      2  version, 1
//!      6     32  measurement
//!     38     64  report data
//!    102      1  debug: 0 or 1
//!    103      4  platform security version
//!    107     32  hardware id
//!    139      8  issued at, seconds since 1970
//!    147     65  platform public key, uncompressed P-256 point   ┐
//!    212     32  hardware id                                     │ certificate
//!    244      4  platform security version                       │
//!    248     64  root's signature over label, 147..248           ┘
//!    312     64  platform's signature over label, 0..312
//! ```
//!
//! Signed bytes are the label, one zero byte, and the range. Both copies of hardware id and security version must agree.

use crate::{
    EvidenceError,
    p256::{self, PUBLIC_KEY_BYTES, SIGNATURE_BYTES},
};
use sealwork_types::{
    B256, Bytes, Measurement, domains,
    evidence::{Claims, ReportData, TeeKind},
};
use std::fmt::Display;

/// Bytes of a certificate.
pub const CERTIFICATE_BYTES: usize = PUBLIC_KEY_BYTES + 32 + 4 + SIGNATURE_BYTES;
/// Bytes of a report without its signature, certificate included.
const REPORT_BYTES: usize = 147 + CERTIFICATE_BYTES;
/// Bytes of a whole evidence.
pub const EVIDENCE_BYTES: usize = REPORT_BYTES + SIGNATURE_BYTES;

const MAGIC: [u8; 4] = *b"SWSM";
const VERSION: u16 = 1;

/// What a simulated vendor says about one of its platforms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformCertificate {
    /// Key that signs the platform's reports: an uncompressed P-256 point.
    pub public_key: [u8; PUBLIC_KEY_BYTES],
    /// SHA-256 of the platform's name.
    pub hardware_id: B256,
    /// Security version.
    pub svn: u32,
    /// The root's signature.
    pub signature: [u8; SIGNATURE_BYTES],
}

impl PlatformCertificate {
    /// The bytes that the root signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        labelled(domains::SIM_CERTIFICATE, &self.body())
    }

    /// The certificate's encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.body()[..], &self.signature].concat()
    }

    /// Reads a certificate without checking its signature.
    ///
    /// # Errors
    /// [`EvidenceError::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let mut reader = Reader::exact(bytes, CERTIFICATE_BYTES)?;
        Ok(Self::read(&mut reader))
    }

    fn body(&self) -> Vec<u8> {
        [&self.public_key[..], self.hardware_id.as_slice(), &self.svn.to_be_bytes()].concat()
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            public_key: reader.take(),
            hardware_id: B256::from(reader.take()),
            svn: u32::from_be_bytes(reader.take()),
            signature: reader.take(),
        }
    }
}

/// What a simulated platform says about one enclave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What runs.
    pub measurement: Measurement,
    /// What it chose to say.
    pub report_data: ReportData,
    /// Whether the host may look inside.
    pub debug: bool,
    /// Security version of the platform.
    pub svn: u32,
    /// SHA-256 of the platform's name.
    pub hardware_id: B256,
    /// Seconds since 1970.
    pub issued_at: u64,
    /// What the vendor says about the platform.
    pub certificate: PlatformCertificate,
}

impl Report {
    /// The bytes that the platform signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        labelled(domains::SIM_REPORT, &self.body())
    }

    /// The evidence: this report and the platform's signature over [`Self::signed_bytes`].
    pub fn to_evidence_bytes(&self, signature: &[u8; SIGNATURE_BYTES]) -> Vec<u8> {
        [&self.body()[..], signature].concat()
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(REPORT_BYTES);
        body.extend_from_slice(&MAGIC);
        body.extend_from_slice(&VERSION.to_be_bytes());
        body.extend_from_slice(self.measurement.as_slice());
        body.extend_from_slice(&self.report_data);
        body.push(u8::from(self.debug));
        body.extend_from_slice(&self.svn.to_be_bytes());
        body.extend_from_slice(self.hardware_id.as_slice());
        body.extend_from_slice(&self.issued_at.to_be_bytes());
        body.extend_from_slice(&self.certificate.to_bytes());
        body
    }

    /// Reads evidence without checking signatures.
    fn parse(bytes: &[u8]) -> Result<(Self, [u8; SIGNATURE_BYTES]), EvidenceError> {
        let mut reader = Reader::exact(bytes, EVIDENCE_BYTES)?;
        check_field(
            "magic",
            B256::right_padding_from(&reader.take::<4>()),
            B256::right_padding_from(&MAGIC),
        )?;
        check_field("version", u16::from_be_bytes(reader.take()), VERSION)?;
        let report = Self {
            measurement: Measurement::new(B256::from(reader.take())),
            report_data: reader.take(),
            debug: match reader.take() {
                [0] => false,
                [1] => true,
                [found] => return Err(field("debug", &found, &"0 or 1")),
            },
            svn: u32::from_be_bytes(reader.take()),
            hardware_id: B256::from(reader.take()),
            issued_at: u64::from_be_bytes(reader.take()),
            certificate: PlatformCertificate::read(&mut reader),
        };
        Ok((report, reader.take()))
    }
}

/// Checks one evidence against the trusted roots.
pub(crate) fn verify(bytes: &[u8], roots: &[Bytes]) -> Result<Claims, EvidenceError> {
    let (report, signature) = Report::parse(bytes)?;
    let certificate = &report.certificate;
    let certified = certificate.signed_bytes();
    if !roots.iter().any(|root| p256::verify(root, &certified, &certificate.signature)) {
        return Err(EvidenceError::Untrusted { tee: TeeKind::Sim, roots: roots.len() });
    }
    if !p256::verify(&certificate.public_key, &report.signed_bytes(), &signature) {
        return Err(EvidenceError::Signature);
    }
    check_field("hardware id", report.hardware_id, certificate.hardware_id)?;
    check_field("platform security version", report.svn, certificate.svn)?;
    Ok(Claims {
        tee: TeeKind::Sim,
        measurement: report.measurement,
        report_data: report.report_data,
        debug: report.debug,
        platform_svn: report.svn,
        hardware_id: report.hardware_id,
        issued_at: Some(report.issued_at),
    })
}

fn labelled(label: &str, body: &[u8]) -> Vec<u8> {
    [label.as_bytes(), &[0], body].concat()
}

fn field(field: &'static str, found: &dyn Display, expected: &dyn Display) -> EvidenceError {
    EvidenceError::Field { field, found: found.to_string(), expected: expected.to_string() }
}

fn check_field<T: PartialEq + Display + Copy>(
    name: &'static str,
    found: T,
    expected: T,
) -> Result<(), EvidenceError> {
    if found == expected { Ok(()) } else { Err(field(name, &found, &expected)) }
}

/// Takes fixed pieces from bytes whose total length was checked once.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn exact(bytes: &'a [u8], expected: usize) -> Result<Self, EvidenceError> {
        if bytes.len() == expected {
            return Ok(Self(bytes));
        }
        Err(EvidenceError::Length { found: bytes.len(), expected })
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) =
            self.0.split_first_chunk().expect("the total length was checked and covers every field");
        self.0 = rest;
        *head
    }
}
