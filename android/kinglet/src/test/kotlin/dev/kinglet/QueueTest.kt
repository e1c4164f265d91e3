package dev.kinglet

import dev.kinglet.Fixture.test
import dev.kinglet.Fixture.testWith
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import kotlin.time.Duration.Companion.seconds

/** Nothing is summarised twice, and nothing is lost. */
@RunWith(RobolectricTestRunner::class)
class QueueTest {
    private fun note(number: Int, app: String = "Mail") = NotificationText(app, "Anna", "Message number $number", "10:$number")

    private val answer = Event.Done("all", listOf(DigestGroup("Mail", 2, "all")), STATS)

    private suspend fun SummaryQueue.addAll(vararg numbers: Int) = numbers.forEach { assertTrue(add("key $it", note(it))) }

    @Test
    fun whatWasAddedWaitsInOrder() = test {
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(3, 1, 2)
            assertEquals(listOf(note(3), note(1), note(2)), queue.waiting())
        }
    }

    @Test
    fun aKeyCountsOnce() = test {
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(1)
            assertFalse(queue.add("key 1", note(9)))
            queue.drain(10) { answer }
            assertFalse("it was summarised already", queue.add("key 1", note(1)))
            assertEquals(emptyList<NotificationText>(), queue.waiting())
        }
    }

    @Test
    fun whatIsGoneWaitsNoMore() = test {
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(1, 2)
            queue.remove("key 1")
            queue.remove("never there")
            assertEquals(listOf(note(2)), queue.waiting())
        }
    }

    @Test
    fun aDigestTakesWhatWaitedAndIsKept() = test {
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(1, 2)
            val made = checkNotNull(queue.drain(10) { answer.copy(text = "${it.size} notifications") })
            assertEquals("2 notifications", made.text)
            assertEquals(listOf(note(1), note(2)), made.notifications)
            assertEquals(answer.groups, made.groups)
            assertEquals(listOf(made), queue.history())
            assertNull(queue.drain(10) { error("nothing waits") })
        }
    }

    @Test
    fun itIsThereWhenTheProcessComesBack() = test {
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(1, 2)
            queue.drain(1) { answer }
        }
        SummaryQueue(Fixture.context).use { queue ->
            assertEquals(listOf(note(2)), queue.waiting())
            assertEquals(listOf(note(1)), queue.history().single().notifications)
        }
    }

    @Test
    fun aDigestThatFailsLeavesAllAsItWas() = test {
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(1, 2)
            val error = runCatching { queue.drain(10) { error("a bad moment") } }.exceptionOrNull()
            assertEquals("a bad moment", error?.message)
            assertEquals(2, queue.waiting().size)
            assertEquals(emptyList<StoredDigest>(), queue.history())
        }
    }

    @Test
    fun aDigestThatIsCancelledLeavesAllAsItWas() = testWith { kinglet ->
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(1, 2)
            val begun = CompletableDeferred<Unit>()
            val job = launch(Dispatchers.Default) { Summarizer(kinglet).drain(queue) { begun.complete(Unit) } }
            begun.await()
            job.cancelAndJoin()
            assertEquals(2, queue.waiting().size)
            val made = checkNotNull(Summarizer(kinglet).drain(queue))
            assertEquals(2, made.notifications.size)
        }
    }

    @Test
    fun aModelThatIsClosedOnTheWayLosesNothing() = test {
        val kinglet = Kinglet.open(Fixture.context, Fixture.tiny(), Fixture.cpu)
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(1, 2)
            val begun = CompletableDeferred<Unit>()
            val job = async(Dispatchers.Default) { runCatching { Summarizer(kinglet).drain(queue) { begun.complete(Unit) } } }
            begun.await()
            kinglet.shutdown()
            val error = job.await().exceptionOrNull()
            assertTrue("$error", error is KingletException)
            assertEquals(2, queue.waiting().size)
        }
    }

    @Test
    fun twoAtOnceMakeOneDigest() = test {
        val (one, other) = SummaryQueue(Fixture.context) to SummaryQueue(Fixture.context)
        one.addAll(1, 2)
        var made = 0
        val digests = listOf(one, other).map { queue ->
            async(Dispatchers.Default) {
                queue.drain(10) {
                    made++
                    answer
                }
            }
        }.awaitAll()
        assertEquals(1, made)
        assertEquals(1, digests.count { it != null })
        listOf(one, other).forEach(SummaryQueue::close)
    }

    @Test
    fun queuesThatMakeTheDatabaseAtOnceLoseNothing() = test {
        repeat(50) { round ->
            val queues = List(4) { SummaryQueue(Fixture.context, "new $round") }
            queues.mapIndexed { at, queue -> async(Dispatchers.Default) { queue.addAll(at) } }.awaitAll()
            assertEquals(queues.size, queues.first().waiting().size)
            queues.forEach(SummaryQueue::close)
        }
    }

    @Test
    fun processesThatMakeTheDatabaseAtOnceLoseNothing() = test {
        repeat(50) { round ->
            // Each with a connection of its own, as processes have.
            val processes = List(2) { QueueTables(Fixture.context, "processes $round") }
            processes.mapIndexed { at, tables ->
                async(Dispatchers.Default) { assertTrue(tables.add(tables.writableDatabase, "key $at", note(at), 0)) }
            }.awaitAll()
            assertEquals(processes.size, processes.first().run { waiting(readableDatabase, 9) }.size)
            processes.forEach(QueueTables::close)
        }
    }

    @Test
    fun whatComesMeanwhileWaitsForTheNext() = test {
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(1)
            queue.drain(10) {
                queue.addAll(2)
                answer
            }
            assertEquals(listOf(note(2)), queue.waiting())
        }
    }

    @Test
    fun moreThanADigestHoldsIsForTheNext() = testWith { kinglet ->
        SummaryQueue(Fixture.context).use { queue ->
            repeat(Summarizer.MOST_AT_ONCE + 1) { queue.add("key $it", note(it, app = "App ${it % 2}")) }
            val sizes = List(3) { Summarizer(kinglet).drain(queue)?.notifications?.size }
            assertEquals(listOf(Summarizer.MOST_AT_ONCE, 1, null), sizes)
        }
    }

    @Test
    fun aDigestThatIsDeletedDoesNotComeBack() = test {
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(1)
            val made = checkNotNull(queue.drain(10) { answer })
            queue.delete(made.id)
            assertEquals(emptyList<StoredDigest>(), queue.history())
            assertFalse(queue.add("key 1", note(1)))
        }
    }

    @Test
    fun clearingForgetsEverything() = test {
        SummaryQueue(Fixture.context).use { queue ->
            queue.addAll(1, 2)
            queue.drain(1) { answer }
            queue.clear()
            assertEquals(0, queue.waiting().size + queue.history().size)
            assertTrue(queue.add("key 1", note(1)))
            val file = Fixture.context.getDatabasePath("kinglet-queue.db")
            assertTrue("$file", file.exists())
        }
    }

    @Test
    fun keysOfWhatIsGoneAreForgottenAfterAMonth() = QueueTables(Fixture.context, "months").use { tables ->
        val db = tables.writableDatabase
        val later = 31L * 24 * 60 * 60 * 1000
        for (key in listOf("gone", "kept")) assertTrue(tables.add(db, key, note(1), 0))
        tables.remove(db, "gone")
        assertFalse(tables.add(db, "gone", note(1), later))
        tables.done(db, tables.waiting(db, 9).map { it.first }, answer, later)
        assertTrue(tables.add(db, "gone", note(1), later))
        assertFalse(tables.add(db, "kept", note(1), later))
    }

    @Test
    fun oldDigestsMakeRoomForNewOnes() = QueueTables(Fixture.context, "room").use { tables ->
        val db = tables.writableDatabase
        // One for all of it: each alone would wait for the disk.
        db.beginTransaction()
        for (number in 0..QueueTables.MOST_DIGESTS) {
            assertTrue(tables.add(db, "key $number", note(number), number.toLong()))
            val ids = tables.waiting(db, 1).map { it.first }
            assertNotNull(tables.done(db, ids, answer, number.toLong()))
        }
        db.setTransactionSuccessful()
        db.endTransaction()
        val kept = tables.history(db, Int.MAX_VALUE)
        assertEquals(QueueTables.MOST_DIGESTS, kept.size)
        assertEquals(listOf(note(1)), kept.last().notifications)
        assertFalse("it was summarised already", tables.add(db, "key 0", note(0), 0))
    }

    @Test
    fun queuesOfOtherNamesAreOthers() = test {
        SummaryQueue(Fixture.context, "one").use { one ->
            SummaryQueue(Fixture.context, "two").use { two ->
                one.addAll(1)
                assertEquals(0, two.waiting().size)
                assertTrue(two.add("key 1", note(1)))
            }
        }
    }

    @Test
    fun changesAreTold() = test {
        SummaryQueue(Fixture.context).use { queue ->
            val seen = async(Dispatchers.Default) { queue.changes.take(2).toList() }
            // Until the first is seen, a change may be the first.
            while (!seen.isCompleted) queue.add("key ${System.nanoTime()}", note(1))
            withTimeout(40.seconds) { seen.await() }
        }
    }

    @Test
    fun anySortOfTextSurvives() = test {
        val wild = NotificationText("App'); DROP TABLE notification;--", "😀 عربي", "a\nb\u0000c\"'%_", "")
        SummaryQueue(Fixture.context).use { queue ->
            queue.add("k'ey", wild)
            assertEquals(listOf(wild), queue.waiting())
            assertNotNull(queue.drain(10) { answer.copy(text = "it's") })
            assertEquals(wild, queue.history().single().notifications.single())
        }
    }

    private companion object {
        val STATS = Stats(0, 0, 0, null, null, null, "cpu", null)
    }
}
