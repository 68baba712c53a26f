// What the app uses of ExecuTorch's Swift interface, for type checks on Linux. Nothing runs.
public protocol Scalar {}
extension Float: Scalar {}
extension Int64: Scalar {}

public protocol ValueConvertible {}

public final class Tensor<Element: Scalar>: ValueConvertible {
  public init(_ scalars: [Element], shape: [Int]) { fatalError("a stub") }
  public func scalars() -> [Element] { fatalError("a stub") }
}

public final class Value: ValueConvertible {
  public func tensor<Element: Scalar>() -> Tensor<Element>? { fatalError("a stub") }
}

public final class Module {
  public init(filePath: String) { fatalError("a stub") }
  public func load() throws { fatalError("a stub") }
  public func load(_ method: String) throws { fatalError("a stub") }
  public func methodNames() throws -> Set<String> { fatalError("a stub") }
  public func execute(_ method: String, _ inputs: [ValueConvertible]) throws -> [Value] {
    fatalError("a stub")
  }
}
