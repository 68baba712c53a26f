// What the app uses of SwiftUI's views. Nothing runs.
import Foundation
import UIKit

@MainActor public protocol View {
  associatedtype Body: View
  @ViewBuilder var body: Body { get }
}

extension Never: View {
  public var body: Never { return fatalError("a stub") }
}

public protocol Primitive: View where Body == Never {}
extension Primitive {
  public var body: Never { return fatalError("a stub") }
}

public struct AnyStub: Primitive {}
extension Optional: View where Wrapped: View {
  public var body: Never { return fatalError("a stub") }
}

@resultBuilder @MainActor public enum ViewBuilder {
  public static func buildBlock<Part: View>(_ part: Part) -> Part { part }
  public static func buildBlock<each Part: View>(_ parts: repeat each Part) -> AnyStub { AnyStub() }
  public static func buildIf<Part: View>(_ part: Part?) -> Part? { part }
  public static func buildEither<Part: View>(first: Part) -> AnyStub { AnyStub() }
  public static func buildEither<Part: View>(second: Part) -> AnyStub { AnyStub() }
}

@MainActor public protocol Scene {}

@resultBuilder @MainActor public enum SceneBuilder {
  public static func buildBlock<Part: Scene>(_ part: Part) -> Part { part }
}

@MainActor public protocol App {
  associatedtype Body: Scene
  init()
  @SceneBuilder var body: Body { get }
}
extension App {
  public static func main() { fatalError("a stub") }
}

public struct WindowGroup: Scene {
  public init(@ViewBuilder content: () -> some View) {}
}

public struct Text: Primitive {
  public init(_ text: String) {}
}
public struct Label: Primitive {
  public init(_ title: String, systemImage: String) {}
}
public struct Button: Primitive {
  public init(_ title: String, action: @escaping @MainActor () -> Void) {}
}
public struct TextField: Primitive {
  public init(_ title: String, text: Binding<String>) {}
}
public struct Slider: Primitive {
  public init(value: Binding<Double>, in range: ClosedRange<Double>) {}
}
public struct ProgressView: Primitive {
  public init(value: Double?) {}
}
public struct ShareLink: Primitive {
  public init(item: URL) {}
}
public struct Spacer: Primitive {
  public init() {}
}
public struct Rectangle: Primitive {
  public init() {}
}
public struct Picker<Value: Hashable>: Primitive {
  public init(_ title: String, selection: Binding<Value>, @ViewBuilder content: () -> some View) {}
}
public struct ForEach: Primitive {
  public init<Item, ID: Hashable>(
    _ items: [Item], id: KeyPath<Item, ID>, @ViewBuilder content: @escaping (Item) -> some View
  ) {}
}

public struct VStack: Primitive { public init(@ViewBuilder content: () -> some View) {} }
public struct HStack: Primitive { public init(@ViewBuilder content: () -> some View) {} }
public struct ZStack: Primitive { public init(@ViewBuilder content: () -> some View) {} }
public struct List: Primitive { public init(@ViewBuilder content: () -> some View) {} }
public struct TabView: Primitive { public init(@ViewBuilder content: () -> some View) {} }

public struct GeometryProxy {
  public var size: CGSize { fatalError("a stub") }
}
public struct GeometryReader: Primitive {
  public init(@ViewBuilder content: @escaping (GeometryProxy) -> some View) {}
}

public struct Image: Primitive {
  public enum Interpolation { case none, low, medium, high }
  public init(uiImage: UIImage) {}
  public func resizable() -> Image { self }
  public func interpolation(_ kind: Interpolation) -> Image { self }
}

@MainActor public protocol UIViewRepresentable: Primitive {
  associatedtype UIViewType: UIView
  typealias Context = RepresentableContext
  func makeUIView(context: Context) -> UIViewType
  func updateUIView(_ view: UIViewType, context: Context)
}
public struct RepresentableContext {}
