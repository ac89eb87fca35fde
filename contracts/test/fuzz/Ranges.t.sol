// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ranges } from "../../src/libraries/Ranges.sol";
import { DealWord, DealWordLibrary } from "../../src/types/DealWord.sol";
import { vm } from "../utils/Vm.sol";

/// @dev Ranges beside a list of bools.
contract RangesTest {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    mapping(uint256 => uint256) private _bits;
    DealWord private _word;
    bool[] private _model;

    function close(uint256 first, uint256 count) external {
        _word = Ranges.close(_bits, "deal", _word, first, count);
    }

    function closeOpen(uint256 first, uint256 count) external returns (uint32 closed) {
        (_word, closed) = Ranges.closeOpen(_bits, "deal", _word, first, count);
    }

    /// @dev Volumes around the ends of words come up most.
    function _volume(uint256 seed) private pure returns (uint256) {
        uint256[8] memory near = [uint256(1), 31, 32, 33, 255, 256, 257, 513];
        return seed % 3 == 0 ? (seed >> 8) % 700 + 1 : near[(seed >> 8) % 8];
    }

    function testFuzz_RangesAreAListOfBools(uint256 seed, bytes32 hash, uint256[] memory steps) public {
        uint256 volume = _volume(seed);
        _word = DealWordLibrary.start(hash, volume);
        if (seed >> 255 == 1) _word = _word.with(DealWordLibrary.WHOLE);
        _model = new bool[](volume);
        uint256 length = steps.length < 40 ? steps.length : 40;
        for (uint256 i = 0; i < length; ++i) {
            _step(volume, steps[i]);
        }
        _compare(hash, volume);
        vm.assertTrue(_word.has(DealWordLibrary.WHOLE) == (seed >> 255 == 1));
        vm.assertFalse(_word.has(DealWordLibrary.STARTED));
    }

    function _step(uint256 volume, uint256 seed) private {
        uint256 first = (seed >> 8) % (volume + 2);
        uint256 longest = seed % 4 == 0 ? volume + 2 : 9;
        uint256 count = (seed >> 64) % longest;
        (bool inside, uint256 open) = _count(first, count);
        if (seed & 4 == 0) {
            bool possible = inside && open == count;
            try this.close(first, count) {
                vm.assertTrue(possible);
            } catch {
                vm.assertFalse(possible);
                return;
            }
        } else {
            try this.closeOpen(first, count) returns (uint32 closed) {
                vm.assertTrue(inside);
                vm.assertEq(closed, open, "as many as were open");
                vm.assertTrue(open != 0);
            } catch {
                vm.assertTrue(!inside || open == 0);
                return;
            }
        }
        for (uint256 i = first; i < first + count; ++i) {
            _model[i] = true;
        }
    }

    function _count(uint256 first, uint256 count) private view returns (bool inside, uint256 open) {
        inside = count != 0 && first + count <= _model.length;
        if (!inside) return (inside, 0);
        for (uint256 i = first; i < first + count; ++i) {
            if (!_model[i]) ++open;
        }
    }

    function _compare(bytes32 hash, uint256 volume) private view {
        uint256 closed = 0;
        for (uint256 i = 0; i < volume; ++i) {
            vm.assertTrue(Ranges.isOpen(_bits, _word, i) == !_model[i]);
            if (_model[i]) ++closed;
        }
        vm.assertFalse(Ranges.isOpen(_bits, _word, volume));
        vm.assertEq(_word.closed(), closed, "closed");
        vm.assertTrue(_word.isFinished() == (closed == volume));
        vm.assertEq(_word.volume(), volume, "volume");
        // casting to 'bytes24' takes what the word keeps
        // forge-lint: disable-next-line(unsafe-typecast)
        vm.assertEq(_word.termsHash(), bytes24(hash), "hash of the terms");
    }

    function testFuzz_RangesOutsideAreRefused(uint24 volume, uint256 first, uint256 count, bool open) public {
        vm.assume(volume != 0);
        vm.assume(count == 0 || first >= volume || count > volume - first);
        _word = DealWordLibrary.start("", volume);
        bytes memory call =
            open ? abi.encodeCall(this.closeOpen, (first, count)) : abi.encodeCall(this.close, (first, count));
        (bool done,) = address(this).call(call);
        vm.assertFalse(done);
    }
}
