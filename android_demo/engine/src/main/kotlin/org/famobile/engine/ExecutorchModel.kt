package org.famobile.engine

import org.famobile.core.Model
import org.famobile.core.UserMessage
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor
import java.nio.FloatBuffer

/**
 * A bundle's `model.pte` in ExecuTorch: one `forward`, or `select` and one `denoise_<member>` for
 * each network, called as fa_mobile/runtimes/executorch.py calls them.
 *
 * @param path of the file; it is mapped, so that the members which are not run stay on disk.
 * @param threads of XNNPACK's pool; 0 leaves the number to the runtime.
 */
class ExecutorchModel(private val path: String, threads: Int = 0) : Model {
    private val module = guarded("$path cannot be loaded by ExecuTorch; copy the bundle again") {
        Module.load(path, Module.LOAD_MODE_MMAP, threads)
    }
    private val methods = guarded("$path cannot be read by ExecuTorch") { module.methods.toSet() }

    init {
        if ("forward" !in methods && "select" !in methods) {
            module.destroy()
            throw UserMessage(
                "$path has the methods $methods; allowed are forward, or select and denoise_<member>: export it again",
            )
        }
    }

    override fun run(raw: FloatBuffer, height: Int, width: Int, scalars: FloatArray): FloatBuffer {
        val tile = EValue.from(Tensor.fromBlob(raw, longArrayOf(1, 1, height.toLong(), width.toLong())))
        val given = scalars.map { EValue.from(Tensor.fromBlob(floatArrayOf(it), longArrayOf(1))) }
        val outputs = guarded("ExecuTorch refused a tile of $height x $width; see the manifest for sizes") {
            if ("forward" in methods) {
                module.forward(tile, *given.toTypedArray())
            } else {
                val selected = module.execute("select", *given.toTypedArray())
                val member = selected.last().toTensor().dataAsLongArray[0]
                // A selector by gain gives (a, b, member); one by noise was given a and b.
                val noise = if (given.size == 1) selected.take(2) else given
                module.execute("denoise_$member", tile, *noise.toTypedArray())
            }
        }
        return FloatBuffer.wrap(outputs.last().toTensor().dataAsFloatArray)
    }

    override fun close() = module.destroy()
}

private fun <T> guarded(message: String, work: () -> T): T = try {
    work()
} catch (error: RuntimeException) { // ExecutorchRuntimeException is one
    throw UserMessage("$message (${error.message?.lineSequence()?.firstOrNull()})", error)
}
