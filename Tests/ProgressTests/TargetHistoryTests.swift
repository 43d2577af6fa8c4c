import Progress
import Testing

private func marker(_ epoch: UInt64, incarnation: UInt64 = 1, generation: UInt64 = 1) -> Marker {
    Marker(generation: generation, epoch: epoch, incarnation: incarnation)
}

/// Rule 7 of design.md §3: a sink's marker must be one that the directory knows.
@Suite struct TargetHistoryTests {
    let history = TargetHistory(
        target: 1, trimmed: marker(3), open: [marker(5), marker(6, incarnation: 2)],
        dropped: [marker(9)])

    @Test func trimMarkMeansNothingNewLanded() {
        #expect(history.judge(marker(3)) == .known(landed: 0))
    }

    @Test func anOpenIntentMeansItAndThoseBeforeLanded() {
        #expect(history.judge(marker(5)) == .known(landed: 1))
        #expect(history.judge(marker(6, incarnation: 2)) == .known(landed: 2))
    }

    @Test func anotherIncarnationOfTheSameEpochIsStale() {
        #expect(history.judge(marker(5, incarnation: 7)) == .stale)
    }

    @Test func betweenAboveBelowAndOtherGenerationsAreStale() {
        #expect(history.judge(marker(4)) == .stale)
        #expect(history.judge(marker(7)) == .stale)
        #expect(history.judge(marker(2)) == .stale)
        #expect(history.judge(marker(3, generation: 2)) == .stale)
        #expect(history.judge(nil) == .stale)
    }

    /// What is open below it has landed; a restore, of the next generation, has not.
    @Test func aDroppedIntentIsKnown() {
        #expect(history.judge(marker(9)) == .known(landed: history.open.count))
        var rewound = history
        rewound.open.append(marker(6, generation: 2))
        #expect(rewound.judge(marker(9)) == .known(landed: history.open.count))
    }

    @Test func onlyAnOldReadMayLieBelowTheTrimMark() {
        #expect(history.judge(marker(2), mayBeOld: true) == .known(landed: 0))
        #expect(history.judge(marker(7), mayBeOld: true) == .stale)
    }

    @Test func aNewDirectoryMeetsAnUntouchedSink() {
        #expect(TargetHistory(target: 1).judge(nil) == .known(landed: 0))
        #expect(TargetHistory(target: 1).judge(marker(1)) == .stale)
    }
}

@Suite struct CommitQueueTests {
    private func intent(_ epoch: UInt64) -> OpenIntent {
        OpenIntent(marker: marker(epoch), byteCount: 2)
    }

    @Test func groupsWhatFallsWithinTheInterval() {
        var queue = CommitQueue(interval: 100)
        queue.offer(intent(1))
        #expect(queue.next(now: 0).count == 1)
        let trimmed = queue.committed(1, now: 0)
        #expect(trimmed == marker(1))
        queue.offer(intent(2))
        queue.offer(intent(4))
        #expect(queue.next(now: 50).isEmpty)
        #expect(queue.next(now: 100).map(\.marker.epoch) == [2, 4])
        queue.drain(true)
        #expect(queue.next(now: 50).count == 2)
        #expect(queue.pendingBytes == 4)
    }
}

@Suite struct MinimumWatermarkTests {
    /// Steps of (announcement, producer) and the minimum after each.
    @Test func isTheLeastOfLiveProducersAndNeverFalls() {
        let steps: [(Watermark, Int, rose: Bool, minimum: Int64)] = [
            (.at(10), 0, false, EventTime.never), (.at(5), 1, true, 5), (.idle, 1, true, 10),
            (.at(7), 1, false, 10), (.idle, 0, false, 10),
        ]
        var minimum = MinimumWatermark(producers: 2)
        for step in steps {
            let rose = minimum.note(step.0, from: step.1)
            #expect(rose == step.rose)
            #expect(minimum.minimum == step.minimum)
        }
        #expect(!minimum.isIdle)
    }
}
