// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "./generated/Params.sol";
import { IEscrow } from "./interfaces/IEscrow.sol";
import { Account, Payment } from "./types/Records.sol";
import { ERC20 } from "solady/tokens/ERC20.sol";
import { ReentrancyGuardTransient } from "solady/utils/ReentrancyGuardTransient.sol";

/// @title Escrow
/// @notice See IEscrow, which documents every function, event and error.
contract Escrow is IEscrow, ReentrancyGuardTransient {
    /// @inheritdoc IEscrow
    address public immutable token;
    /// @notice May lock.
    address public immutable market;
    /// @notice May pay out.
    address public immutable tasks;

    mapping(address owner => Account) private _accounts;

    /// @param token_ The ERC-20 to hold.
    /// @param market_ May lock.
    /// @param tasks_ May pay out.
    constructor(address token_, address market_, address tasks_) {
        token = token_;
        market = market_;
        tasks = tasks_;
    }

    /// @inheritdoc IEscrow
    function deposit(uint256 amount) external nonReentrant {
        _deposit(msg.sender, amount);
    }

    /// @inheritdoc IEscrow
    function depositFor(address owner, uint256 amount) external nonReentrant {
        _deposit(owner, amount);
    }

    /// @inheritdoc IEscrow
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external nonReentrant {
        // Somebody may have used the signature first; then the approval is there and the deposit goes on.
        // solhint-disable-next-line no-empty-blocks
        try ERC20(token).permit(msg.sender, address(this), amount, deadline, v, r, s) { } catch { }
        _deposit(msg.sender, amount);
    }

    /// @inheritdoc IEscrow
    function requestWithdrawal(uint256 amount) external {
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        Account storage entry = _accounts[msg.sender];
        uint128 available = entry.available;
        if (amount > available) revert InsufficientFunds(msg.sender, available, amount);
        uint128 moved = _narrow(amount);
        uint64 withdrawableAt = uint64(block.timestamp + Params.WITHDRAWAL_DELAY_S);
        entry.available = available - moved;
        entry.withdrawing += moved;
        entry.withdrawableAt = withdrawableAt;
        emit WithdrawalRequested(msg.sender, amount, withdrawableAt);
    }

    /// @inheritdoc IEscrow
    function withdraw() external nonReentrant {
        Account storage entry = _accounts[msg.sender];
        uint256 amount = entry.withdrawing;
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        if (block.timestamp < entry.withdrawableAt) revert WithdrawalNotReady(msg.sender, entry.withdrawableAt);
        entry.withdrawing = 0;
        entry.withdrawableAt = 0;
        emit Withdrawn(msg.sender, amount);
        _callToken(abi.encodeCall(ERC20.transfer, (msg.sender, amount)));
    }

    /// @inheritdoc IEscrow
    function lock(address owner, bytes32 deal, uint256 amount) external {
        if (msg.sender != market) revert NotController(msg.sender);
        Account storage entry = _accounts[owner];
        uint256 available = entry.available;
        if (amount > available) {
            uint256 cover = available + entry.withdrawing;
            if (amount > cover) revert InsufficientFunds(owner, cover, amount);
            entry.withdrawing = _narrow(cover - amount);
            available = amount;
        }
        entry.available = _narrow(available - amount);
        entry.locked = _narrow(entry.locked + amount);
        emit Locked(owner, deal, amount);
    }

    /// @inheritdoc IEscrow
    function distribute(address payer, bytes32 deal, Payment[] calldata payments, uint256 refund) external {
        if (msg.sender != tasks) revert NotController(msg.sender);
        uint256 total = refund;
        for (uint256 i = 0; i < payments.length; ++i) {
            address to = payments[i].to;
            uint256 amount = payments[i].amount;
            if (amount == 0) continue;
            total += amount;
            _accounts[to].available = _narrow(_accounts[to].available + amount);
            emit Paid(payer, to, deal, amount);
        }
        Account storage entry = _accounts[payer];
        entry.locked = _narrow(entry.locked - total);
        if (refund != 0) {
            entry.available = _narrow(entry.available + refund);
            emit Released(payer, deal, refund);
        }
    }

    /// @inheritdoc IEscrow
    function account(address owner) external view returns (Account memory) {
        return _accounts[owner];
    }

    function _deposit(address owner, uint256 amount) private {
        uint256 before = ERC20(token).balanceOf(address(this));
        _callToken(abi.encodeCall(ERC20.transferFrom, (msg.sender, address(this), amount)));
        uint256 arrived = ERC20(token).balanceOf(address(this)) - before;
        Account storage entry = _accounts[owner];
        entry.available = _narrow(entry.available + arrived);
        emit Deposited(owner, msg.sender, arrived);
    }

    /// @dev Accepts tokens that return nothing.
    function _callToken(bytes memory data) private {
        (bool success, bytes memory answer) = token.call(data);
        if (success) {
            success =
                answer.length == 0 ? token.code.length != 0 : answer.length >= 32 && abi.decode(answer, (uint256)) == 1;
        }
        if (!success) revert TransferFailed(token);
    }

    function _narrow(uint256 amount) private pure returns (uint128) {
        if (amount > type(uint128).max) revert AmountTooLarge(amount);
        // casting to 'uint128' is safe because of the line above
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(amount);
    }

    /// @dev Transient storage on every chain.
    function _useTransientReentrancyGuardOnlyOnMainnet() internal pure override returns (bool) {
        return false;
    }
}
