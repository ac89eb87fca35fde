// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice One packed word for a deal.
/// @dev Layout, low bits first: volume (32), closed tasks (32), startedAt (64), one bit for each of the first 128 tasks.
type Progress is uint256;

using ProgressLibrary for Progress global;

/// @title Reads and writes `Progress`
library ProgressLibrary {
    /// @dev Tasks whose bit lies in the word itself.
    uint256 internal constant INLINE_TASKS = 128;

    /// @notice The word of a deal in which nothing is closed.
    function start(uint32 volume_, uint64 startedAt_) internal pure returns (Progress) {
        return Progress.wrap(uint256(volume_) | (uint256(startedAt_) << 64));
    }

    /// @notice Tasks in the deal; zero when there is no such deal.
    function volume(Progress self) internal pure returns (uint32) {
        return uint32(Progress.unwrap(self));
    }

    /// @notice Tasks that are closed.
    function closed(Progress self) internal pure returns (uint32) {
        return uint32(Progress.unwrap(self) >> 32);
    }

    /// @notice Time of the match, in seconds since 1970.
    function startedAt(Progress self) internal pure returns (uint64) {
        return uint64(Progress.unwrap(self) >> 64);
    }

    /// @notice Whether the bit of a task below `INLINE_TASKS` is set.
    function isInlineClosed(Progress self, uint32 index) internal pure returns (bool) {
        return (Progress.unwrap(self) >> (128 + index)) & 1 == 1;
    }

    /// @notice The word with one more closed task. The caller has checked that the task is open.
    function close(Progress self, uint32 index) internal pure returns (Progress) {
        uint256 word = Progress.unwrap(self) + (uint256(1) << 32);
        if (index < INLINE_TASKS) word |= uint256(1) << (128 + index);
        return Progress.wrap(word);
    }
}
