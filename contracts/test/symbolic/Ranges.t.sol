// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ranges } from "../../src/libraries/Ranges.sol";
import { DealWord, DealWordLibrary } from "../../src/types/DealWord.sol";

/// @dev What can become of a deal's word and of the bits beside it. The word is any, reached or not; bits beside it are
/// those of two storage words with any content.
contract RangesProofs {
    mapping(uint256 => uint256) private _bits;

    function close(DealWord word, uint256 first, uint256 count) external returns (DealWord) {
        return Ranges.close(_bits, 0, word, first, count);
    }

    function closeOpen(DealWord word, uint256 first, uint256 count) external returns (DealWord, uint32) {
        return Ranges.closeOpen(_bits, 0, word, first, count);
    }

    function isOpen(DealWord word, uint256 index) external view returns (bool) {
        return Ranges.isOpen(_bits, word, index);
    }

    function check_AWordKeepsWhatItIsMadeOf(bytes32 hash, uint24 volume) public pure {
        DealWord word = DealWordLibrary.start(hash, volume);
        assert(word.volume() == volume);
        // casting to 'bytes24' takes what the word keeps
        // forge-lint: disable-next-line(unsafe-typecast)
        assert(word.termsHash() == bytes24(hash));
        assert(word.low() == 0);
        assert(!word.has(DealWordLibrary.STARTED) && !word.has(DealWordLibrary.WHOLE));
        word = word.with(DealWordLibrary.WHOLE);
        // casting to 'bytes24' takes what the word keeps
        // forge-lint: disable-next-line(unsafe-typecast)
        assert(word.volume() == volume && word.termsHash() == bytes24(hash) && word.low() == 0);
        assert(word.has(DealWordLibrary.WHOLE) && !word.has(DealWordLibrary.STARTED));
        assert(volume == 0 || !word.isFinished());
    }

    function check_FlagsChangeNothingElse(uint256 raw) public pure {
        DealWord word = DealWord.wrap(raw);
        DealWord after_ = word.with(DealWordLibrary.STARTED);
        assert(DealWord.unwrap(after_) & ~DealWordLibrary.STARTED == raw & ~DealWordLibrary.STARTED);
        assert(after_.has(DealWordLibrary.STARTED));
    }

    /// @dev Inside the word: exactly the bits of the range are added, and all of them were open.
    function check_ClosingASmallDealAddsExactlyTheRange(uint256 raw, uint8 first, uint8 count, uint8 probe) public {
        DealWord word = DealWord.wrap(raw);
        uint256 volume = word.volume();
        if (volume == 0 || volume > 32 || probe >= volume) return;
        bool wasOpen = this.isOpen(word, probe);
        bool inRange = probe >= first && uint256(probe) < uint256(first) + count;
        try this.close(word, first, count) returns (DealWord afterwards) {
            assert(count != 0 && uint256(first) + count <= volume);
            assert(!inRange || wasOpen);
            assert(this.isOpen(afterwards, probe) == (wasOpen && !inRange));
            assert(DealWord.unwrap(afterwards) >> 32 == raw >> 32);
            assert(DealWord.unwrap(afterwards) & raw == raw);
            assert(DealWord.unwrap(afterwards) != raw);
        } catch {
            // Not refused without a reason: the range is wrong, or one of its tasks is closed.
            if (count == 0 || uint256(first) + count > volume) return;
            uint256 range = ((uint256(1) << count) - 1) << first;
            assert(word.low() & range != 0);
        }
    }

    function check_ASmallDealIsFinishedWhenAllIsClosed(uint256 raw, uint8 probe) public pure {
        DealWord word = DealWord.wrap(raw);
        uint256 volume = word.volume();
        if (volume == 0 || volume > 32) return;
        // What no transition sets: bits beyond the volume.
        if (word.low() >> volume != 0) return;
        if (!word.isFinished()) assert(word.low() != (uint256(1) << volume) - 1);
        else if (probe < volume) assert((word.low() >> probe) & 1 == 1);
    }

    function check_ClaimingASmallDealClosesTheRange(uint256 raw, uint8 first, uint8 count, uint8 probe) public {
        DealWord word = DealWord.wrap(raw);
        uint256 volume = word.volume();
        if (volume == 0 || volume > 32 || probe >= volume) return;
        bool wasOpen = this.isOpen(word, probe);
        bool inRange = probe >= first && uint256(probe) < uint256(first) + count;
        (bool done, bytes memory answer) = address(this).call(abi.encodeCall(this.closeOpen, (word, first, count)));
        if (!done) {
            assert(!(wasOpen && inRange && uint256(first) + count <= volume));
            return;
        }
        (DealWord afterwards, uint32 closed) = abi.decode(answer, (DealWord, uint32));
        assert(this.isOpen(afterwards, probe) == (wasOpen && !inRange));
        assert(DealWord.unwrap(afterwards) >> 32 == raw >> 32);
        assert(closed != 0 && closed <= count);
    }

    /// @dev Beside the word. The range is fixed, what is stored and the task that is looked at are not.
    function _closesExactly(uint256 raw, uint256 low, uint256 high, uint256 first, uint256 count, uint16 probe)
        private
    {
        DealWord word = DealWord.wrap(raw);
        if (word.volume() != 512 || probe >= 512) return;
        // What every transition keeps: the word counts no more tasks than there are.
        if (word.low() > 512 - count) return;
        (_bits[0], _bits[1]) = (low, high);
        bool wasOpen = this.isOpen(word, probe);
        bool inRange = probe >= first && probe < first + count;
        try this.close(word, first, count) returns (DealWord afterwards) {
            assert(!inRange || wasOpen);
            assert(this.isOpen(afterwards, probe) == (wasOpen && !inRange));
            assert(_bits[0] & low == low && _bits[1] & high == high);
            assert(afterwards.low() == word.low() + count);
            assert(DealWord.unwrap(afterwards) >> 32 == raw >> 32);
        } catch {
            assert(_bits[0] == low && _bits[1] == high);
            // All open would not be refused.
            assert(low != 0 || high != 0);
        }
    }

    function check_ClosingALargeDealOverTheEndOfAWord(uint256 raw, uint256 low, uint256 high, uint16 probe) public {
        _closesExactly(raw, low, high, 250, 12, probe);
    }

    function check_ClosingAWholeWordOfALargeDeal(uint256 raw, uint256 low, uint256 high, uint16 probe) public {
        _closesExactly(raw, low, high, 256, 256, probe);
    }

    function check_ClosingOneTaskOfALargeDeal(uint256 raw, uint256 low, uint256 high, uint16 probe) public {
        _closesExactly(raw, low, high, 511, 1, probe);
    }

    function check_ALargeDealIsFinishedWhenAllIsCounted(uint256 raw) public pure {
        DealWord word = DealWord.wrap(raw);
        if (word.volume() <= 32) return;
        assert(word.isFinished() == (word.low() == word.volume()));
        assert(word.closed() == word.low());
    }

    function check_NoTaskBeyondTheVolumeIsOpen(uint256 raw, uint256 index) public view {
        DealWord word = DealWord.wrap(raw);
        if (index >= word.volume()) assert(!this.isOpen(word, index));
    }
}
