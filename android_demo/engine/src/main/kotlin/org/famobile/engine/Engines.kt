package org.famobile.engine

import org.famobile.core.Manifest
import org.famobile.core.Model
import org.famobile.core.UserMessage

/**
 * The runtime that a bundle's target names.
 *
 * @param path of the bundle's model file.
 * @throws UserMessage for a target that does not run on Android, and for a runtime that this build
 *   of the app does not hold.
 */
fun openModel(manifest: Manifest, path: String, threads: Int = 0): Model = try {
    when (manifest.target) {
        "onnx" -> OnnxModel(path, threads)
        "executorch" -> ExecutorchModel(path, threads)
        else -> throw UserMessage(
            "bundle ${manifest.name} is for ${manifest.target}, which runs on Apple systems; " +
                "allowed here are onnx and executorch: export one of them",
        )
    }
} catch (error: LinkageError) { // no class, or no native library
    throw UserMessage(
        "this build of the app holds no runtime for ${manifest.target} (${error.message}); use another bundle, " +
            "or build the app with Gradle, which brings both runtimes",
        error,
    )
}

/** The version of the runtime that [manifest]'s target runs in, where the runtime tells it. */
fun runtimeVersions(manifest: Manifest): Map<String, String> = when (manifest.target) {
    "onnx" -> mapOf("onnx" to OnnxModel.version())
    else -> mapOf(manifest.target to "not told by the runtime")
}
