// swift-tools-version: 6.0
import PackageDescription

// The Apple-only sources know Apple's frameworks as they are annotated there, which the stubs are
// not: they keep Swift 5's concurrency checks. The core has Swift 6's.
let apple: [SwiftSetting] = [.swiftLanguageMode(.v5)]

#if os(Linux)
  // Stand-ins for frameworks that Linux lacks, so that the Apple-only sources are type-checked.
  let stubs = [
    "ExecuTorch", "CoreML", "SwiftUI", "UIKit", "AVFoundation", "Photos", "CoreGraphics",
  ]
  let imports = ["UIKit": ["CoreGraphics"], "SwiftUI": ["UIKit"], "AVFoundation": ["UIKit"]]
  let dependencies: [Package.Dependency] = []
  let typed: [Target] =
    stubs.map { name in
      .target(
        name: name,
        dependencies: (imports[name] ?? []).map { Target.Dependency(stringLiteral: $0) },
        path: "Stubs/\(name)", swiftSettings: apple)
    } + [
      .target(
        name: "RawDenoiseEngines", dependencies: ["RawDenoise", "ExecuTorch", "CoreML"],
        swiftSettings: apple),
      .target(
        name: "RawDenoiseApp",
        dependencies: ["RawDenoise", "RawDenoiseEngines"]
          + stubs.map { Target.Dependency(stringLiteral: $0) },
        path: "App", exclude: ["Resources"], swiftSettings: apple),
    ]
  // Only where types are to be checked: Swift 6.0.3 for Linux crashes when it optimizes the app.
  let wanted = Context.environment["FA_MOBILE_TYPES"] == "1"
  let appleTargets = wanted ? typed : []
  let appleProducts: [Product] = []
#else
  let dependencies: [Package.Dependency] = [
    .package(url: "https://github.com/pytorch/executorch.git", branch: "swiftpm-1.4.1")
  ]
  let executorch = ["executorch", "backend_xnnpack", "kernels_optimized"].map {
    Target.Dependency.product(name: $0, package: "executorch")
  }
  let appleTargets: [Target] = [
    .target(
      name: "RawDenoiseEngines", dependencies: ["RawDenoise"] + executorch, swiftSettings: apple)
  ]
  let appleProducts: [Product] = [
    .library(name: "RawDenoiseEngines", targets: ["RawDenoiseEngines"])
  ]
#endif

let package = Package(
  name: "RawDenoise",
  platforms: [.iOS(.v17), .macOS(.v14)],
  products: [.library(name: "RawDenoise", targets: ["RawDenoise"])] + appleProducts,
  dependencies: dependencies,
  targets: [
    .target(name: "RawDenoise"),
    .testTarget(name: "RawDenoiseTests", dependencies: ["RawDenoise"]),
  ] + appleTargets
)
