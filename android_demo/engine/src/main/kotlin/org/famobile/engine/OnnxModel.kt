package org.famobile.engine

import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtException
import ai.onnxruntime.OrtSession
import org.famobile.core.Denoiser
import org.famobile.core.Model
import org.famobile.core.UserMessage
import java.nio.FloatBuffer

/**
 * A bundle's `model.onnx` in ONNX Runtime on the CPU.
 *
 * @param path of the file: the runtime maps it, which keeps it off the heap.
 * @param threads 0 leaves the number to the runtime.
 * @throws UserMessage for a file that is not a denoiser of fa-mobile.
 */
class OnnxModel(path: String, threads: Int = 0) : Model {
    private val environment = OrtEnvironment.getEnvironment()
    private val session = guarded("$path cannot be loaded by ONNX Runtime; copy the bundle again") {
        OrtSession.SessionOptions().use { options ->
            if (threads > 0) options.setIntraOpNumThreads(threads)
            environment.createSession(path, options)
        }
    }
    private val scalarNames = session.inputNames.toList().drop(1)
    private var result: FloatBuffer = Denoiser.directFloats(0)

    init {
        val inputs = session.inputNames.toList()
        val known = inputs == listOf("raw", "gain") || inputs == listOf("raw", "a", "b")
        if (!known || session.outputNames != setOf("denoised")) {
            session.close()
            throw UserMessage(
                "$path takes $inputs and gives ${session.outputNames}; allowed are raw, gain or raw, a, b and " +
                    "denoised: export the bundle again",
            )
        }
    }

    override fun run(raw: FloatBuffer, height: Int, width: Int, scalars: FloatArray): FloatBuffer {
        require(scalars.size == scalarNames.size) { "${scalars.size} scalars for $scalarNames" }
        val shape = longArrayOf(1, 1, height.toLong(), width.toLong())
        if (result.capacity() != height * width) result = Denoiser.directFloats(height * width)
        result.clear()
        guarded("ONNX Runtime refused a tile of $height x $width; see the manifest for sizes") {
            val opened = ArrayList<OnnxTensor>()
            try {
                val inputs = LinkedHashMap<String, OnnxTensor>()
                inputs["raw"] = OnnxTensor.createTensor(environment, raw, shape).also(opened::add)
                scalarNames.forEachIndexed { index, name ->
                    val value = Denoiser.directFloats(1).put(0, scalars[index])
                    inputs[name] = OnnxTensor.createTensor(environment, value, longArrayOf(1)).also(opened::add)
                }
                // The runtime writes where we read: no copy through the heap.
                val output = OnnxTensor.createTensor(environment, result, shape).also(opened::add)
                session.run(inputs, mapOf("denoised" to output)).close()
            } finally {
                opened.forEach { it.close() }
            }
        }
        return result
    }

    override fun close() = session.close()

    companion object {
        /** Version of the runtime. */
        fun version(): String = OrtEnvironment.getEnvironment().version
    }
}

private fun <T> guarded(message: String, work: () -> T): T = try {
    work()
} catch (error: OrtException) {
    throw UserMessage("$message (${error.message?.lineSequence()?.firstOrNull()})", error)
}
