// What travels between operators: rows, time, barriers. Order within a channel is kept.

import Columns
import Progress
import Synchronization

/// One message of a channel.
enum Message: Sendable {
    case batch(Batch)
    case watermark(Watermark)
    /// The clock as the sources saw it, µs: rows still to come have `_extracted_at` ≥ this. Sent
    /// only where a window is closed by the clock (dialect.md §1.11).
    case clock(Int64)
    /// An aligned barrier: ends the epoch of this number.
    case barrier(UInt64)
}

/// A bounded queue from one worker to one operator input of another (or of itself).
///
/// One lock a batch (about 30 ns) is noise beside the batch; the bound makes backpressure: the
/// sender looks at `isFull` before it makes more rows, and what it has in hand may pass the bound.
final class Channel: Sendable {
    /// Batches in flight before the sender holds back.
    static let limit = 32

    private let queue = Mutex<MessageQueue>(MessageQueue())
    private let wake: WakeUp

    /// `wake`: the receiver's.
    init(wake: WakeUp) { self.wake = wake }

    var isFull: Bool { queue.withLock { $0.count >= Channel.limit } }

    func send(_ message: Message) {
        queue.withLock { $0.push(message) }
        wake.signal()
    }

    func receive() -> Message? { queue.withLock { $0.pop() } }
}

/// A first-in first-out queue that reuses its array.
private struct MessageQueue {
    private var messages: [Message?] = []
    private var head = 0

    /// A queue that never runs empty must not keep the places of all that went through it.
    private static let spentLimit = 64

    var count: Int { messages.count - head }

    mutating func push(_ message: Message) { messages.append(message) }

    mutating func pop() -> Message? {
        guard head < messages.count else { return nil }
        defer {
            messages[head] = nil
            head += 1
            if head == messages.count || head == MessageQueue.spentLimit {
                messages.removeFirst(head)
                head = 0
            }
        }
        return messages[head]
    }
}
