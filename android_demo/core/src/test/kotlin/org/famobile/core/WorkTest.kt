package org.famobile.core

import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.OutputStream
import java.util.concurrent.CancellationException
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** Jobs and saving, where something goes wrong or nobody looks; the test is the main thread. */
class WorkTest {
    private val posted = LinkedBlockingQueue<() -> Unit>()
    private val work = Work { posted.put(it) }
    private val shown = ArrayList<String>()
    private val screen = object : Work.Watcher {
        override fun busy(busy: Boolean) {
            shown += if (busy) "busy" else "idle"
        }

        override fun progress(done: Int, total: Int) {
            shown += "$done of $total"
        }

        override fun message(text: String) {
            shown += text
        }
    }

    private fun pump(count: Int = 1) = repeat(count) { checkNotNull(posted.poll(5, TimeUnit.SECONDS))() }

    @Test
    fun aJobThatIsSentToTheBackgroundGoesOnAndItsResultWaits() {
        val go = CountDownLatch(1)
        work.watcher = screen
        var result = 0
        work.start({ progress -> go.await(); progress.goOn(1, 2); 42 }) { result = it; work.message("done") }
        work.watcher = null // the app is sent to the background
        go.countDown()
        pump(2)
        assertEquals(42, result)
        assertEquals(listOf("idle", "busy"), shown)
        work.watcher = screen // and comes back
        assertEquals(listOf("idle", "busy", "idle", "done"), shown)
    }

    @Test
    fun oneJobAtATime() {
        val go = CountDownLatch(1)
        work.watcher = screen
        work.start({ go.await() }) {}
        work.start({ error("the second job must not start") }) {}
        assertContains(shown.last(), "still running")
        go.countDown()
        pump()
        assertEquals("idle", shown.last())
    }

    @Test
    fun cancellingReachesTheJob() {
        val go = CountDownLatch(1)
        work.watcher = screen
        work.start({ progress -> go.await(); if (!progress.goOn(1, 9)) throw CancellationException() }) {}
        work.cancel()
        go.countDown()
        pump(2)
        assertEquals("Cancelled.", shown.last())
    }

    @Test
    fun whateverFailsBecomesAMessage() {
        work.watcher = screen
        val failures = mapOf(
            UserMessage("enter the gain") to "enter the gain", OutOfMemoryError() to "not enough memory",
            IOException("no such file") to "no such file", SecurityException("no") to "choose the file again",
            IllegalStateException("what") to "report this message",
        )
        for ((failure, part) in failures) {
            work.start({ throw failure }) {}
            pump()
            assertContains(shown.last(), part)
        }
    }

    @Test
    fun aFullStorageLeavesNothingHalfSaved() {
        var removed = 0
        var closed = false
        val full = object : OutputStream() {
            var space = 10

            override fun write(byte: Int) {
                if (space-- == 0) throw IOException("No space left on device")
            }

            override fun close() {
                closed = true
            }
        }
        val error = assertFailsWith<UserMessage> { saveWhole({ full }, { removed++ }) { it.write(ByteArray(99)) } }
        assertContains(error.message.orEmpty(), "nothing was saved (No space left on device)")
        assertTrue(closed)
        assertEquals(1, removed)
        assertFailsWith<UserMessage> { saveWhole({ null }, { throw IOException("gone already") }) {} }
        val kept = ByteArrayOutputStream()
        saveWhole({ kept }, { removed++ }) { it.write(7) }
        assertEquals(1 to 1, removed to kept.size())
    }
}
