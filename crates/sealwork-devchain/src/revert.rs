//! What a failed execution says about itself, in go-ethereum's words: tools show and recognize them.

use alloy_primitives::U256;
use revm::context::result::HaltReason;

/// Selector of `Error(string)`.
const ERROR_STRING: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// Selector of `Panic(uint256)`.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// The message of a revert, if its output is an `Error(string)` or a `Panic(uint256)`.
pub(crate) fn revert_reason(output: &[u8]) -> Option<String> {
    if let Some(body) = output.strip_prefix(&ERROR_STRING) {
        return text(body);
    }
    let code = U256::try_from_be_slice(output.strip_prefix(&PANIC)?.get(..32)?)?;
    Some(match u8::try_from(code).ok().and_then(panic_reason) {
        Some(reason) => reason.into(),
        None => format!("unknown panic code: {code:#x}"),
    })
}

fn text(body: &[u8]) -> Option<String> {
    let offset = usize::try_from(U256::try_from_be_slice(body.get(..32)?)?).ok()?;
    let body = body.get(offset..)?;
    let length = usize::try_from(U256::try_from_be_slice(body.get(..32)?)?).ok()?;
    let text = body.get(32..length.checked_add(32)?)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

fn panic_reason(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "generic panic",
        0x01 => "assert(false)",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum overflow",
        0x22 => "invalid encoded storage byte array accessed",
        0x31 => "out-of-bounds array access; popping on an empty array",
        0x32 => "out-of-bounds access of an array or bytesN",
        0x41 => "out of memory",
        0x51 => "uninitialized function",
        _ => return None,
    })
}

/// Why an execution ended with all its gas.
pub(crate) fn halt_reason(reason: &HaltReason) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the engine's own texts serve for all other variants")]
    match reason {
        HaltReason::OutOfGas(_) => "out of gas".into(),
        HaltReason::OpcodeNotFound | HaltReason::NotActivated => "invalid opcode".into(),
        HaltReason::InvalidFEOpcode => "invalid opcode: INVALID".into(),
        HaltReason::StackOverflow => "stack limit reached 1024 (1023)".into(),
        HaltReason::OutOfOffset => "return data out of bounds".into(),
        HaltReason::CreateCollision => "contract address collision".into(),
        HaltReason::NonceOverflow => "nonce uint64 overflow".into(),
        HaltReason::CreateContractSizeLimit => "max code size exceeded".into(),
        HaltReason::CreateContractStartingWithEF => "invalid code: must not begin with 0xef".into(),
        HaltReason::CreateInitCodeSizeLimit => "max initcode size exceeded".into(),
        HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => {
            "write protection".into()
        }
        HaltReason::OutOfFunds => "insufficient balance for transfer".into(),
        HaltReason::CallTooDeep => "max call depth exceeded".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_sol_types::{Panic, Revert, SolError as _};

    #[test]
    fn tells_texts_and_panics() {
        let text = Revert { reason: "not yours".into() }.abi_encode();
        assert_eq!(revert_reason(&text).unwrap(), "not yours");
        let panic = |code: u64| revert_reason(&Panic { code: U256::from(code) }.abi_encode()).unwrap();
        assert_eq!(panic(0x11), "arithmetic underflow or overflow");
        assert_eq!(panic(0x99), "unknown panic code: 0x99");
    }

    #[test]
    fn tolerates_hostile_output() {
        let mut output = ERROR_STRING.to_vec();
        output.extend([0xff; 64]);
        assert_eq!(revert_reason(&output), None);
        for length in 0..64 {
            assert_eq!(revert_reason(&output[..length]), None);
            assert_eq!(revert_reason(&PANIC[..length.min(4)]), None);
        }
        assert_eq!(revert_reason(&[]), None);
    }
}
