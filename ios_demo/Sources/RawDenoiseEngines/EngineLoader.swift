import Foundation
import RawDenoise

/// The engine of a bundle's target, where this build has it.
public enum EngineLoader {
  /// - Throws: `DenoiseError` for a target that this build cannot run, or a model that does not load.
  ///
  /// It runs where its caller does: engines are not made for two threads.
  public static func load(
    _ bundle: ModelBundle, cache: URL, isolation: isolated (any Actor)? = #isolation
  ) async throws -> any Engine {
    switch bundle.manifest.target {
    case .executorch:
      #if canImport(ExecuTorch)
        return try ExecuTorchEngine(file: bundle.url(of: bundle.manifest.files[0]))
      #endif
    case .coreml:
      #if canImport(CoreML)
        return try await CoreMLEngine.load(bundle, cache: cache)
      #endif
    case .onnx: break
    }
    throw DenoiseError(
      "bundle \(bundle.manifest.name) is for \(bundle.manifest.target.rawValue), which this app "
        + "does not hold; allowed are executorch and coreml: export one with "
        + "'fa-mobile export --only coreml'")
  }
}
