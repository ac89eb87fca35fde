// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice All that is stored of a deal: what was agreed, and how far it is.
/// @dev Layout, low bits first: one bit for each closed task of a deal of at most 32 tasks, else their number (32);
/// flags (8); volume (24); the first 24 bytes of the hash of the terms (192). 192 bits are enough: an attacker needs two
/// terms of his choice with the same bits, 2^96 hashes.
type DealWord is uint256;

using DealWordLibrary for DealWord global;

/// @title Reads and writes `DealWord`
library DealWordLibrary {
    /// @dev Tasks whose bit lies in the word itself.
    uint256 internal constant INLINE_TASKS = 32;
    /// @dev Largest volume that fits.
    uint256 internal constant MAX_VOLUME = type(uint24).max;
    /// @dev The pool said that it works on the deal.
    uint256 internal constant STARTED = 1 << 32;
    /// @dev The deal is all of its request, whose salt is used up: nothing is lost when the word is forgotten.
    uint256 internal constant WHOLE = 1 << 33;

    /// @notice The word of a deal in which nothing is closed.
    /// @param hash Hash of the terms.
    /// @param volume_ Tasks, at most `MAX_VOLUME`.
    function start(bytes32 hash, uint256 volume_) internal pure returns (DealWord) {
        return DealWord.wrap((uint256(hash) >> 64 << 64) | (volume_ << 40));
    }

    /// @notice Tasks in the deal; zero when there is no such deal.
    function volume(DealWord self) internal pure returns (uint256) {
        return uint24(DealWord.unwrap(self) >> 40);
    }

    /// @notice What is kept of the hash of the terms.
    function termsHash(DealWord self) internal pure returns (bytes24) {
        return bytes24(bytes32(DealWord.unwrap(self)));
    }

    /// @notice Whether a flag is set.
    function has(DealWord self, uint256 flag) internal pure returns (bool) {
        return DealWord.unwrap(self) & flag != 0;
    }

    /// @notice The word with a flag set.
    function with(DealWord self, uint256 flag) internal pure returns (DealWord) {
        return DealWord.wrap(DealWord.unwrap(self) | flag);
    }

    /// @notice Whether the bits of the tasks lie in the word itself.
    function isInline(DealWord self) internal pure returns (bool) {
        return self.volume() <= INLINE_TASKS;
    }

    /// @notice The low 32 bits: the tasks' bits, or the number of closed tasks.
    function low(DealWord self) internal pure returns (uint256) {
        return uint32(DealWord.unwrap(self));
    }

    /// @notice Whether every task is closed.
    function isFinished(DealWord self) internal pure returns (bool) {
        uint256 tasks = self.volume();
        return self.low() == (self.isInline() ? (uint256(1) << tasks) - 1 : tasks);
    }

    /// @notice Tasks that are closed.
    function closed(DealWord self) internal pure returns (uint256 count) {
        count = self.low();
        if (!self.isInline()) return count;
        uint256 bits = count;
        for (count = 0; bits != 0; ++count) {
            bits &= bits - 1;
        }
    }
}
