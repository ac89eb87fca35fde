// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { IDeals } from "../interfaces/IDeals.sol";
import { DealWord } from "../types/DealWord.sol";
import { LibBit } from "solady/utils/LibBit.sol";

/// @title Which tasks of a deal are closed
/// @dev A small deal's bits lie in its word; otherwise the word counts and the bits lie beside it, 256 a word.
library Ranges {
    /// @notice Closes tasks that must all be open.
    /// @param bits Bits beside the word.
    /// @param dealId For errors.
    /// @param word The deal.
    /// @param first Index of the first task.
    /// @param count Number of tasks, at least 1.
    /// @return The deal afterwards.
    function close(
        mapping(uint256 => uint256) storage bits,
        bytes32 dealId,
        DealWord word,
        uint256 first,
        uint256 count
    ) internal returns (DealWord) {
        _check(word, first, count);
        if (word.isInline()) {
            uint256 wanted = _mask(first, count);
            _allOpen(dealId, 0, word.low() & wanted);
            return DealWord.wrap(DealWord.unwrap(word) | wanted);
        }
        uint256 end = first + count;
        for (uint256 next = first; next < end;) {
            uint256 index;
            uint256 wanted;
            (index, wanted, next) = _step(next, end);
            uint256 old = bits[index];
            _allOpen(dealId, index << 8, old & wanted);
            bits[index] = old | wanted;
        }
        return DealWord.wrap(DealWord.unwrap(word) + count);
    }

    /// @notice Closes the tasks in a range that are open.
    /// @param bits Bits beside the word.
    /// @param dealId For errors.
    /// @param word The deal.
    /// @param first Index of the first task.
    /// @param count Length of the range, at least 1.
    /// @return The deal afterwards.
    /// @return closed How many were open, never zero.
    function closeOpen(
        mapping(uint256 => uint256) storage bits,
        bytes32 dealId,
        DealWord word,
        uint256 first,
        uint256 count
    ) internal returns (DealWord, uint32 closed) {
        _check(word, first, count);
        uint256 total = 0;
        if (word.isInline()) {
            uint256 fresh = _mask(first, count) & ~word.low();
            total = LibBit.popCount(fresh);
            word = DealWord.wrap(DealWord.unwrap(word) | fresh);
        } else {
            uint256 end = first + count;
            for (uint256 next = first; next < end;) {
                uint256 index;
                uint256 wanted;
                (index, wanted, next) = _step(next, end);
                uint256 old = bits[index];
                total += LibBit.popCount(wanted & ~old);
                bits[index] = old | wanted;
            }
            word = DealWord.wrap(DealWord.unwrap(word) + total);
        }
        if (total == 0) revert IDeals.TaskClosed(dealId, first);
        // casting to 'uint32' is safe because a volume has 24 bits
        // forge-lint: disable-next-line(unsafe-typecast)
        return (word, uint32(total));
    }

    /// @notice Whether there is such a task and it is open.
    /// @param bits Bits beside the word.
    /// @param word The deal.
    /// @param index Which task.
    function isOpen(mapping(uint256 => uint256) storage bits, DealWord word, uint256 index)
        internal
        view
        returns (bool)
    {
        if (index >= word.volume()) return false;
        if (word.isInline()) return (word.low() >> index) & 1 == 0;
        return (bits[index >> 8] >> (index & 0xff)) & 1 == 0;
    }

    function _check(DealWord word, uint256 first, uint256 count) private pure {
        uint256 volume = word.volume();
        if (count == 0 || first >= volume || count > volume - first) {
            revert IDeals.IndexOutOfRange(first, count, volume);
        }
    }

    function _allOpen(bytes32 dealId, uint256 base, uint256 taken) private pure {
        if (taken != 0) revert IDeals.TaskClosed(dealId, base + LibBit.ffs(taken));
    }

    /// @dev The part of [from, end) that lies in one word: the word's index, its bits, and where the next word starts.
    function _step(uint256 from, uint256 end) private pure returns (uint256 index, uint256 wanted, uint256 next) {
        index = from >> 8;
        next = (index + 1) << 8;
        if (next > end) next = end;
        wanted = _mask(from & 0xff, next - from);
    }

    /// @dev `count` ones from bit `first` on; together at most 256.
    function _mask(uint256 first, uint256 count) private pure returns (uint256) {
        return (count == 256 ? type(uint256).max : (uint256(1) << count) - 1) << first;
    }
}
