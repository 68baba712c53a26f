package org.famobile.core

import java.io.IOException
import java.util.concurrent.CancellationException
import java.util.concurrent.Executors

/**
 * One job at a time, off the main thread; everything is told on the main thread.
 *
 * @param main runs what it is given on the main thread, in order.
 */
class Work(private val main: (() -> Unit) -> Unit) {
    /** What a screen shows; it is unset while none is there, and the job goes on. */
    interface Watcher {
        fun busy(busy: Boolean)

        fun progress(done: Int, total: Int)

        fun message(text: String)
    }

    private val thread = Executors.newSingleThreadExecutor()

    @Volatile
    private var cancelled = false
    private var running = false
    private var lastMessage: String? = null

    var watcher: Watcher? = null
        set(value) {
            field = value
            value?.busy(running)
            lastMessage?.let { value?.message(it) }
        }

    fun cancel() {
        cancelled = true
    }

    fun message(text: String) {
        lastMessage = text
        watcher?.message(text)
    }

    /** Run [job] and hand its result to [done]; whatever goes wrong becomes a message. */
    fun <T> start(job: (Progress) -> T, done: (T) -> Unit) {
        if (running) return message("one job is still running; cancel it or wait")
        running = true
        cancelled = false
        watcher?.busy(true)
        thread.execute {
            val outcome = try {
                Result.success(job(::report))
            } catch (error: Exception) {
                Result.failure(error)
            } catch (error: OutOfMemoryError) {
                Result.failure(error)
            }
            main {
                running = false
                watcher?.busy(false)
                outcome.onSuccess(done).onFailure { message(explained(it)) }
            }
        }
    }

    private fun report(done: Int, total: Int): Boolean {
        main { watcher?.progress(done, total) }
        return !cancelled
    }

    private fun explained(error: Throwable): String = when (error) {
        is UserMessage -> error.message.orEmpty()
        is CancellationException -> "Cancelled."
        is OutOfMemoryError -> "There is not enough memory for this capture; close other apps, or take a smaller one."
        is IOException ->
            "The file cannot be read or written (${error.message}); check the storage and choose another place."
        is SecurityException -> "Android does not allow it (${error.message}); choose the file again."
        else -> "It failed: $error. Please report this message."
    }
}
