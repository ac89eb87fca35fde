// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IGroup } from "../../src/interfaces/IGroup.sol";
import { Matching } from "../../src/libraries/Matching.sol";
import { Restriction } from "../../src/libraries/Restriction.sol";
import { DatasetOrder, Membership, Orders } from "../../src/types/Orders.sol";
import { vm } from "../utils/Vm.sol";

/// @dev Everybody whose number is in the list.
contract NumberGroup is IGroup {
    bytes32 private immutable _member;

    constructor(bytes32 member) {
        _member = member;
    }

    function isMember(bytes32 id) external view returns (bool) {
        return id == _member;
    }
}

// Numbers are drawn from the bits of seeds, or counted in tests.
// forge-lint: disable-start(unsafe-typecast)

/// @dev Orders that are drawn part by part; with every part the model knows whether it fits.
contract MatchingTest {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    bytes32 private constant APP = keccak256("app");
    bytes32 private constant POOL = keccak256("pool");
    bytes32 private constant POLICY = keccak256("policy");
    bytes32 private constant SIBLING = keccak256("sibling");
    address private constant REQUESTER = address(0xBEEF);
    /// @dev One chance in this many that a part does not fit.
    uint256 private constant RARE = 40;

    uint256 private _seed;
    bool private _fits;
    Membership[] private _memberships;
    mapping(bytes32 member => address) private _groups;

    function check(Orders calldata orders) external view {
        Matching.check(orders);
    }

    function _next(uint256 range) private returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % range;
    }

    /// @dev Whether the next part fits.
    function _fit() private returns (bool fits) {
        fits = _next(RARE) != 0;
        if (!fits) _fits = false;
    }

    /// @dev A number that is at most a limit, or not.
    function _below(uint96 limit) private returns (uint96) {
        return uint96(_fit() ? _next(uint256(limit) + 1) : limit + 1 + _next(5));
    }

    function testFuzz_ModelAndMatchingAgree(uint256 seed) public {
        (_seed, _fits) = (seed, true);
        delete _memberships;
        Orders memory orders;
        _drawNumbers(orders);
        _drawDatasets(orders);
        _drawRestrictions(orders);
        orders.memberships = _memberships;
        try this.check(orders) {
            vm.assertTrue(_fits);
        } catch {
            vm.assertFalse(_fits);
        }
    }

    function _drawNumbers(Orders memory orders) private {
        orders.request.app = APP;
        orders.request.policyHash = POLICY;
        orders.request.requester = REQUESTER;
        orders.app.app = _fit() ? APP : POLICY;
        orders.pool.pool = POOL;
        orders.request.appMaxPrice = uint96(_next(1000));
        orders.app.price = _below(orders.request.appMaxPrice);
        orders.request.poolMaxPrice = uint96(_next(1000));
        orders.pool.price = _below(orders.request.poolMaxPrice);
        orders.pool.stake = uint96(_next(1000));
        orders.request.minStake = _below(orders.pool.stake);
        orders.request.category = uint16(_next(9));
        orders.pool.category = _fit() ? orders.request.category : orders.request.category + 1;
        orders.pool.trust = uint16(_next(9));
        orders.request.trust = uint16(_below(orders.pool.trust));
        orders.request.mode = uint8(_next(8));
        orders.pool.modes = uint8(uint256(1) << orders.request.mode);
        if (!_fit()) orders.request.mode = _next(2) == 0 ? orders.request.mode + 8 : (orders.request.mode + 1) % 8;
        orders.request.params = new bytes(_fit() ? _next(257) : 257 + _next(100));
        orders.request.callbackGas = uint32(_fit() ? _next(2_000_001) : 2_000_001 + _next(100));
    }

    function _drawDatasets(Orders memory orders) private {
        uint256 count = _fit() ? _next(9) : 9;
        orders.request.datasets = new bytes32[](count);
        orders.datasets = new DatasetOrder[](_fit() ? count : count == 0 || _next(2) == 0 ? count + 1 : 0);
        if (orders.datasets.length != count) _fits = false;
        orders.datasetSignatures = new bytes[](_fit() ? count : count + 1);
        bytes32 tag = bytes32(_next(256));
        orders.pool.tag = tag;
        orders.request.tag = _tag(tag);
        orders.app.tag = _tag(tag);
        uint256 total = 0;
        for (uint256 i = 0; i < orders.datasets.length; ++i) {
            bytes32 id = keccak256(abi.encode(i));
            orders.datasets[i].dataset = _fit() ? id : POOL;
            orders.datasets[i].price = uint96(_next(100));
            orders.datasets[i].tag = _tag(tag);
            total += orders.datasets[i].price;
            if (i < count) orders.request.datasets[i] = id;
        }
        orders.request.datasetMaxPrice = uint96(total + _next(2));
        if (total != 0 && !_fit()) orders.request.datasetMaxPrice = uint96(total - 1);
    }

    /// @dev Features that are all offered, or one more.
    function _tag(bytes32 offered) private returns (bytes32) {
        bytes32 tag = offered & bytes32(_next(256));
        return _fit() ? tag : tag | (bytes32(uint256(1)) << (8 + _next(248)));
    }

    function _drawRestrictions(Orders memory orders) private {
        bytes32 requester = Restriction.key(REQUESTER);
        orders.app.poolRestrict = _restriction(POOL, false);
        orders.app.requesterRestrict = _restriction(requester, false);
        orders.pool.appRestrict = _restriction(APP, true);
        orders.pool.requesterRestrict = _restriction(requester, false);
        orders.request.poolRestrict = _restriction(POOL, false);
        for (uint256 i = 0; i < orders.datasets.length; ++i) {
            orders.datasets[i].appRestrict = _restriction(APP, true);
            orders.datasets[i].poolRestrict = _restriction(POOL, false);
            orders.datasets[i].requesterRestrict = _restriction(requester, false);
        }
        if (orders.datasets.length != 1) return;
        orders.app.datasetRestrict = _restriction(orders.datasets[0].dataset, false);
        orders.pool.datasetRestrict = _restriction(orders.datasets[0].dataset, false);
    }

    function _restriction(bytes32 member, bool isApp) private returns (bytes32) {
        uint256 kind = _next(isApp ? 6 : 5);
        bool fits = kind == 0 || _fit();
        if (kind == 0) return 0;
        if (kind == 5) return fits ? Restriction.policy(POLICY) : POLICY;
        if (kind == 1) return fits ? member : keccak256(abi.encode(member));
        if (kind == 2) return Restriction.key(_group(fits ? member : SIBLING));
        bytes32 leaf = Restriction.leaf(member);
        bytes32 root = leaf < SIBLING ? keccak256(abi.encode(leaf, SIBLING)) : keccak256(abi.encode(SIBLING, leaf));
        bytes32[] memory path = new bytes32[](1);
        path[0] = SIBLING;
        if (fits) {
            _memberships.push(Membership(root, member, path));
            return root;
        }
        // A list without a proof, or with the proof for an inner node.
        root = keccak256(abi.encode(root));
        if (kind == 3) _memberships.push(Membership(root, member, path));
        return root;
    }

    function _group(bytes32 member) private returns (address) {
        if (_groups[member] == address(0)) _groups[member] = address(new NumberGroup(member));
        return _groups[member];
    }
}

// forge-lint: disable-end(unsafe-typecast)
