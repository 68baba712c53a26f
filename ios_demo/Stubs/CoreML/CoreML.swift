// What the app uses of Core ML, for type checks on Linux. Nothing runs.
import Foundation

public enum MLComputeUnits { case cpuOnly, cpuAndGPU, all, cpuAndNeuralEngine }

public final class MLModelConfiguration {
  public init() {}
  public var computeUnits = MLComputeUnits.all
  public var functionName: String?
}

public protocol MLFeatureProvider {
  func featureValue(for name: String) -> MLFeatureValue?
}

public final class MLFeatureValue {
  public var multiArrayValue: MLMultiArray? { fatalError("a stub") }
}

public final class MLMultiArray {
  public init(_ shaped: MLShapedArray<Float>) { fatalError("a stub") }
  public subscript(index: Int) -> NSNumber { fatalError("a stub") }
}

public struct MLShapedArray<Scalar> {
  public init(scalars: [Scalar], shape: [Int]) { fatalError("a stub") }
  public init(converting array: MLMultiArray) { fatalError("a stub") }
  public var scalars: [Scalar] { fatalError("a stub") }
}

public final class MLDictionaryFeatureProvider: MLFeatureProvider {
  public init(dictionary: [String: Any]) throws { fatalError("a stub") }
  public func featureValue(for name: String) -> MLFeatureValue? { fatalError("a stub") }
}

public final class MLModel {
  public init(contentsOf url: URL, configuration: MLModelConfiguration) throws {
    fatalError("a stub")
  }
  public static func compileModel(at url: URL) async throws -> URL { fatalError("a stub") }
  public func prediction(from input: any MLFeatureProvider) throws -> any MLFeatureProvider {
    fatalError("a stub")
  }
}
