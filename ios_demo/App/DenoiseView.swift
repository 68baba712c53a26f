#if canImport(SwiftUI) && canImport(AVFoundation) && canImport(UIKit) && canImport(Photos)
  import Foundation
  import RawDenoise
  import SwiftUI

  #if canImport(UniformTypeIdentifiers)
    import UniformTypeIdentifiers
  #endif

  struct DenoiseView: View {
    @ObservedObject var model: AppModel
    @State private var camera = Camera()
    @State private var isOpening = false
    @State private var isCapturing = false
    @State private var saved: URL?

    var body: some View {
      VStack {
        BundlePicker(model: model)
        if let pictures = model.pictures {
          CompareView(noisy: pictures.noisy, denoised: pictures.denoised)
        } else {
          CameraView(session: camera.session)
        }
        facts
        controls
      }
      .padding()
      .task { await attempt { try await camera.start() } }
      .onDisappear { camera.stop() }
      .fileImporter(isPresented: $isOpening, allowedContentTypes: [.rawImage, .data]) { result in
        switch result {
        case .success(let file): model.open(file)
        case .failure(let error): model.report(error)
        }
      }
    }

    @ViewBuilder private var facts: some View {
      ForEach(model.notes, id: \.self) { note in Text(note).font(.footnote) }
      if let result = model.result {
        Text(
          "gain \(result.gain.map { String($0) } ?? "from the noise profile"), network "
            + "\(result.member), \(Int(result.milliseconds)) ms, "
            + "\(Int(result.millisecondsPerMegapixel)) ms per megapixel, "
            + "thermal state \(PhoneFacts.state().thermal)"
        )
        .font(.footnote)
      }
    }

    @ViewBuilder private var controls: some View {
      if let progress = model.progress {
        HStack {
          ProgressView(value: progress)
          Button("Cancel") { model.cancel() }
        }
      } else {
        HStack {
          Text("Gain")
          TextField("from the ISO", text: $model.gainText).keyboardType(.decimalPad)
        }
        HStack {
          Button("Capture", action: capture).disabled(isCapturing)
          Button("Open") { isOpening = true }
          Button("Denoise") { model.denoise() }.disabled(model.frame == nil)
          Button("Save", action: save).disabled(model.result == nil)
          if let saved { ShareLink(item: saved) }
        }
      }
    }

    private func capture() {
      isCapturing = true
      saved = nil
      Task {
        await attempt { model.show(try await camera.capture()) }
        isCapturing = false
      }
    }

    private func save() {
      guard let frame = model.result?.frame else { return }
      Task {
        await attempt {
          let name = "denoised-\(Int(Date().timeIntervalSince1970))"
          let file = try await Task.detached { try Exports.write(frame, named: name) }.value
          saved = file
          try await Exports.addToPhotos(file)
        }
      }
    }

    private func attempt(_ body: () async throws -> Void) async {
      do { try await body() } catch { model.report(error) }
    }
  }

  struct BundlePicker: View {
    @ObservedObject var model: AppModel

    var body: some View {
      Picker(
        "Bundle",
        selection: Binding(
          get: { model.chosen?.manifest.name ?? "" }, set: { model.choose($0) })
      ) {
        ForEach(model.bundles.map(\.manifest.name), id: \.self) { name in Text(name).tag(name) }
      }
      .disabled(model.isBusy)
    }
  }
#endif
