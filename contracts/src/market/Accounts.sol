// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../generated/Params.sol";
import { IAccounts } from "../interfaces/IAccounts.sol";
import { Settlement } from "../libraries/Settlement.sol";
import { Account } from "../types/Records.sol";
import { ERC20 } from "solady/tokens/ERC20.sol";
import { ReentrancyGuardTransient } from "solady/utils/ReentrancyGuardTransient.sol";

/// @title Accounts
/// @notice See IAccounts, which documents every function, event and error.
abstract contract Accounts is IAccounts, ReentrancyGuardTransient {
    /// @inheritdoc IAccounts
    address public immutable token;

    /// @dev Money, nonce and merit of everybody.
    mapping(address owner => Account) internal _accounts;
    /// @dev Stakes that pools lost.
    uint256 internal _kitty;

    /// @param token_ The ERC-20 to hold.
    constructor(address token_) {
        token = token_;
    }

    /// @inheritdoc IAccounts
    function deposit(uint256 amount) external nonReentrant {
        _deposit(msg.sender, amount);
    }

    /// @inheritdoc IAccounts
    function depositFor(address owner, uint256 amount) external nonReentrant {
        _deposit(owner, amount);
    }

    /// @inheritdoc IAccounts
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external nonReentrant {
        // Somebody may have used the signature first; then the approval is there and the deposit goes on.
        // solhint-disable-next-line no-empty-blocks
        try ERC20(token).permit(msg.sender, address(this), amount, deadline, v, r, s) { } catch { }
        _deposit(msg.sender, amount);
    }

    /// @inheritdoc IAccounts
    function requestWithdrawal(uint256 amount) external {
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        Account storage entry = _accounts[msg.sender];
        uint256 available = entry.available;
        if (amount > available) revert InsufficientFunds(msg.sender, available, amount);
        uint64 withdrawableAt = uint64(block.timestamp + Params.WITHDRAWAL_DELAY_S);
        entry.available = _narrow(available - amount);
        entry.withdrawing += _narrow(amount);
        entry.withdrawableAt = withdrawableAt;
        emit WithdrawalRequested(msg.sender, amount, withdrawableAt);
    }

    /// @inheritdoc IAccounts
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

    /// @inheritdoc IAccounts
    function account(address owner) external view returns (Account memory) {
        return _accounts[owner];
    }

    /// @inheritdoc IAccounts
    function kitty() external view returns (uint256) {
        return _kitty;
    }

    /// @inheritdoc IAccounts
    function drawKitty() external returns (uint256 amount) {
        Account storage entry = _accounts[msg.sender];
        uint256 pot = _kitty;
        amount = Settlement.draw(pot, entry.merit);
        if (amount == 0) revert NothingToDraw(pot, entry.merit);
        entry.merit = 0;
        _kitty = pot - amount;
        _give(msg.sender, amount);
        emit KittyDrawn(msg.sender, amount);
    }

    /// @dev Takes money for a deal: first what is available, then what is on its way out.
    function _take(address owner, uint256 amount) internal {
        if (amount == 0) return;
        Account storage entry = _accounts[owner];
        uint256 available = entry.available;
        if (amount > available) {
            uint256 cover = available + entry.withdrawing;
            if (amount > cover) revert InsufficientFunds(owner, cover, amount);
            entry.withdrawing = _narrow(cover - amount);
            entry.available = 0;
        } else {
            entry.available = _narrow(available - amount);
        }
    }

    /// @dev Credits an account.
    function _give(address owner, uint256 amount) internal {
        // Nobody depends on whether nothing arrives: there is nothing to write then.
        // slither-disable-next-line incorrect-equality
        if (amount == 0) return;
        Account storage entry = _accounts[owner];
        entry.available = _narrow(entry.available + amount);
    }

    /// @dev Pays the owner of a pool. `stake`: what the owner had put up for the tasks that came to an end.
    function _reward(address owner, uint256 amount, uint256 stake) internal {
        Account storage entry = _accounts[owner];
        uint256 merit = entry.merit + stake;
        if (merit > type(uint104).max) merit = type(uint104).max;
        entry.available = _narrow(entry.available + amount);
        // casting to 'uint104' is safe because of the line before the last
        // forge-lint: disable-next-line(unsafe-typecast)
        entry.merit = uint104(merit);
    }

    /// @dev Keeps the stake that a pool has lost.
    function _slash(address owner, uint256 amount) internal {
        _kitty += amount;
        _accounts[owner].merit = 0;
    }

    /// @dev Credits what arrives: a token may keep a part.
    function _deposit(address owner, uint256 amount) private {
        uint256 before = ERC20(token).balanceOf(address(this));
        // What arrived is known only after the call; whatever moves tokens holds the guard.
        // slither-disable-next-line reentrancy-benign
        _callToken(abi.encodeCall(ERC20.transferFrom, (msg.sender, address(this), amount)));
        uint256 arrived = ERC20(token).balanceOf(address(this)) - before;
        _give(owner, arrived);
        emit Deposited(owner, msg.sender, arrived);
    }

    /// @dev Accepts tokens that return nothing.
    function _callToken(bytes memory data) private {
        // A typed call would refuse an empty answer.
        // slither-disable-next-line low-level-calls
        (bool success, bytes memory answer) = token.call(data);
        if (success) {
            success =
                answer.length == 0 ? token.code.length != 0 : answer.length >= 32 && abi.decode(answer, (uint256)) == 1;
        }
        if (!success) revert TransferFailed(token);
    }

    function _narrow(uint256 amount) private pure returns (uint112) {
        if (amount > type(uint112).max) revert AmountTooLarge(amount);
        // casting to 'uint112' is safe because of the line above
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint112(amount);
    }

    /// @dev Transient storage on every chain.
    function _useTransientReentrancyGuardOnlyOnMainnet() internal pure override returns (bool) {
        return false;
    }
}
