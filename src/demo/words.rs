//! The words that texts are composed of, by category and language, so that search has something realistic to find.

/// The languages of generated texts.
pub const LANGUAGES: [&str; 4] = ["en", "ko", "es", "ca"];

/// The words of a category.
pub struct Theme {
    /// Its code.
    pub code: &'static str,
    /// The fields of cooperation.
    pub areas: &'static [&'static str],
    /// How common it is.
    pub weight: i64,
    /// In how many of a hundred cases it processes personal data.
    pub personal: i64,
    /// What is offered, by language.
    pub things: [[&'static str; 2]; 4],
    /// What it is good for, by language.
    pub gains: [[&'static str; 2]; 4],
    /// Tags.
    pub tags: &'static [&'static str],
    /// Standards that it may follow.
    pub standards: &'static [&'static str],
    /// Codes of the indicators that suit it best.
    pub indicators: &'static [&'static str],
}

/// All of them; few dominate.
#[rustfmt::skip]
pub const THEMES: &[Theme] = &[
    Theme { code: "smart_street_lighting", areas: &["smart_cities", "clean_energy"], weight: 24, personal: 10,
        things: [["Smart streetlights", "Adaptive lighting"], ["스마트 가로등", "적응형 조명"], ["Alumbrado público inteligente", "Iluminación adaptativa"], ["Enllumenat públic intel·ligent", "Il·luminació adaptativa"]],
        gains: [["dims the luminaires when nobody is about and saves energy", "reports failed lamps before anybody complains"], ["사람이 없을 때 조도를 낮추어 에너지를 절약합니다", "민원이 들어오기 전에 고장을 알려 줍니다"], ["reduce la intensidad cuando no pasa nadie y ahorra energía", "avisa de las averías antes de que nadie se queje"], ["redueix la intensitat quan no passa ningú i estalvia energia", "avisa de les avaries abans que ningú es queixi"]],
        tags: &["led", "lighting", "energy", "luminaires", "sensors"], standards: &["TALQ", "DALI-2", "LoRaWAN"], indicators: &["SL-01", "SL-02", "EN: E: E: 4A"] },
    Theme { code: "mobility_data", areas: &["public_transport", "smart_cities"], weight: 16, personal: 45,
        things: [["Mobility data space", "Pedestrian flow counting"], ["모빌리티 데이터 공간", "보행자 흐름 계측"], ["Espacio de datos de movilidad", "Conteo de flujos peatonales"], ["Espai de dades de mobilitat", "Recompte de fluxos de vianants"]],
        gains: [["shows planners where people walk and wait", "brings timetables and traffic into one open feed"], ["사람들이 걷고 기다리는 곳을 계획가에게 보여 줍니다", "시간표와 교통 정보를 하나의 공개 피드로 제공합니다"], ["muestra a los planificadores por dónde camina y espera la gente", "reúne horarios y tráfico en un único canal abierto"], ["mostra als planificadors per on camina i espera la gent", "aplega horaris i trànsit en un únic canal obert"]],
        tags: &["pedestrians", "open data", "traffic", "lidar"], standards: &["GTFS", "NeTEx", "DATEX II"], indicators: &["EC: ICT: T: 2C", "I: T: 5A", "EC: ICT: T: 1C"] },
    Theme { code: "environment_sensing", areas: &["smart_cities", "clean_energy"], weight: 14, personal: 2,
        things: [["Air quality sensors", "Noise monitoring network"], ["대기질 센서", "소음 모니터링 네트워크"], ["Sensores de calidad del aire", "Red de control del ruido"], ["Sensors de qualitat de l'aire", "Xarxa de control del soroll"]],
        gains: [["warns schools on days with much fine dust", "finds the loudest streets at night"], ["미세먼지가 많은 날 학교에 경보를 보냅니다", "밤에 가장 시끄러운 거리를 찾아냅니다"], ["avisa a las escuelas los días con muchas partículas finas", "localiza las calles más ruidosas de noche"], ["avisa les escoles els dies amb moltes partícules fines", "localitza els carrers més sorollosos de nit"]],
        tags: &["air", "noise", "sensors", "health"], standards: &["OGC SensorThings", "LoRaWAN"], indicators: &["EN: EN: AQ: 1C", "EN: EN: EQ: 2A", "11.6.2"] },
    Theme { code: "energy_management", areas: &["clean_energy"], weight: 10, personal: 20,
        things: [["Building energy management", "District demand response"], ["건물 에너지 관리", "지역 수요 반응"], ["Gestión energética de edificios", "Respuesta de la demanda por distritos"], ["Gestió energètica d'edificis", "Resposta de la demanda per districtes"]],
        gains: [["heats public buildings only when they are used", "moves consumption to hours with much solar power"], ["공공건물을 사용할 때만 난방합니다", "태양광이 많은 시간대로 소비를 옮깁니다"], ["calienta los edificios públicos solo cuando se usan", "traslada el consumo a las horas con más energía solar"], ["escalfa els edificis públics només quan s'utilitzen", "trasllada el consum a les hores amb més energia solar"]],
        tags: &["energy", "buildings", "demand response"], standards: &["OpenADR", "BACnet", "ISO 50001"], indicators: &["EN: E: E: 4A", "EC: ICT: ES: 3A", "EN: E: E: 2C"] },
    Theme { code: "parking", areas: &["smart_cities", "public_transport"], weight: 8, personal: 50,
        things: [["Parking guidance", "Loading bay booking"], ["주차 안내", "하역 공간 예약"], ["Guía de aparcamiento", "Reserva de zonas de carga"], ["Guia d'aparcament", "Reserva de zones de càrrega"]],
        gains: [["leads drivers to free spaces without detours", "lets couriers reserve a bay for half an hour"], ["운전자를 빈 자리로 바로 안내합니다", "택배 기사가 30분간 공간을 예약할 수 있습니다"], ["lleva a los conductores a plazas libres sin rodeos", "permite a los repartidores reservar una zona media hora"], ["porta els conductors a places lliures sense voltes", "permet als repartidors reservar una zona mitja hora"]],
        tags: &["parking", "kerbside", "logistics"], standards: &["APDS", "MDS"], indicators: &["I: T: 5A", "EC: ICT: T: 2C"] },
    Theme { code: "waste", areas: &["smart_cities"], weight: 7, personal: 15,
        things: [["Fill-level sensors for containers", "Pay-as-you-throw collection"], ["수거함 적재량 센서", "종량제 수거"], ["Sensores de llenado de contenedores", "Recogida con pago por generación"], ["Sensors d'ompliment de contenidors", "Recollida amb pagament per generació"]],
        gains: [["sends lorries only to containers that are full", "raises the share of waste that is sorted"], ["가득 찬 수거함에만 차량을 보냅니다", "분리배출 비율을 높입니다"], ["envía camiones solo a los contenedores llenos", "aumenta la parte de residuos que se separa"], ["envia camions només als contenidors plens", "augmenta la part de residus que se separa"]],
        tags: &["waste", "recycling", "routing"], standards: &["LoRaWAN", "NGSI-LD"], indicators: &["11.6.1", "EN: EN: WA: 1C"] },
    Theme { code: "fare_collection", areas: &["public_transport"], weight: 6, personal: 70,
        things: [["Open-loop fare payment", "Automatic fare boxes"], ["개방형 요금 결제", "자동 요금함"], ["Pago abierto de billetes", "Máquinas automáticas de cobro"], ["Pagament obert de bitllets", "Màquines automàtiques de cobrament"]],
        gains: [["lets passengers board through every door", "accepts bank cards and caps the price of a day"], ["승객이 모든 문으로 탑승할 수 있습니다", "은행 카드를 받고 하루 요금에 상한을 둡니다"], ["permite subir por todas las puertas", "acepta tarjetas bancarias y limita el precio diario"], ["permet pujar per totes les portes", "accepta targetes bancàries i limita el preu diari"]],
        tags: &["buses", "payment", "ticketing"], standards: &["EMV", "Calypso", "ITSO"], indicators: &["AF-01", "I: T: 2A", "11.2.1"] },
    Theme { code: "water", areas: &["smart_cities"], weight: 5, personal: 20,
        things: [["Leak detection in the water network", "Smart water meters"], ["상수도 누수 탐지", "스마트 수도 계량기"], ["Detección de fugas en la red de agua", "Contadores de agua inteligentes"], ["Detecció de fuites a la xarxa d'aigua", "Comptadors d'aigua intel·ligents"]],
        gains: [["hears leaks before the street floods", "shows households what they use by the hour"], ["도로가 잠기기 전에 누수를 감지합니다", "가정에 시간별 사용량을 보여 줍니다"], ["oye las fugas antes de que se inunde la calle", "muestra a los hogares su consumo por horas"], ["sent les fuites abans que s'inundi el carrer", "mostra a les llars el seu consum per hores"]],
        tags: &["water", "leaks", "meters"], standards: &["OMS", "NB-IoT"], indicators: &["I: WS: 3C", "EC: ICT: WS: 1C", "EC: ICT: WS: 2A"] },
    Theme { code: "energy_generation", areas: &["clean_energy"], weight: 4, personal: 5,
        things: [["Solar thermal roofs", "Hydrogen fuel cells"], ["태양열 지붕", "수소 연료전지"], ["Tejados solares térmicos", "Pilas de combustible de hidrógeno"], ["Teulades solars tèrmiques", "Piles de combustible d'hidrogen"]],
        gains: [["heats water without burning gas", "covers the base load of a district"], ["가스를 태우지 않고 물을 데웁니다", "한 지역의 기저 부하를 담당합니다"], ["calienta agua sin quemar gas", "cubre la carga base de un distrito"], ["escalfa aigua sense cremar gas", "cobreix la càrrega base d'un districte"]],
        tags: &["solar", "hydrogen", "renewables"], standards: &["EN 12975", "IEC 62282"], indicators: &["EN: E: E: 1C", "7.2.1", "EN: EN: AQ: 2C"] },
    Theme { code: "video_analysis", areas: &["smart_cities"], weight: 4, personal: 90,
        things: [["CCTV video analysis", "Crowd density cameras"], ["CCTV 영상 분석", "군중 밀도 카메라"], ["Análisis de vídeo de CCTV", "Cámaras de densidad de público"], ["Anàlisi de vídeo de CCTV", "Càmeres de densitat de públic"]],
        gains: [["finds accidents within a minute", "warns when a square becomes too full"], ["1분 안에 사고를 찾아냅니다", "광장이 붐비면 경보를 보냅니다"], ["detecta accidentes en un minuto", "avisa cuando una plaza se llena demasiado"], ["detecta accidents en un minut", "avisa quan una plaça s'omple massa"]],
        tags: &["cctv", "safety", "vision"], standards: &["ONVIF", "ISO/IEC 27001"], indicators: &["CV-01", "CV-02", "SC: SH: SA: 5A"] },
    Theme { code: "urban_platform", areas: &["smart_cities", "urban_regeneration"], weight: 4, personal: 30,
        things: [["Smart city platform", "Digital twin"], ["스마트시티 플랫폼", "디지털 트윈"], ["Plataforma de ciudad inteligente", "Gemelo digital"], ["Plataforma de ciutat intel·ligent", "Bessó digital"]],
        gains: [["joins the data of departments that never spoke", "lets residents see a plan before it is built"], ["서로 연결되지 않던 부서의 데이터를 잇습니다", "주민이 건설 전에 계획을 볼 수 있습니다"], ["une los datos de departamentos que nunca hablaban", "permite a los vecinos ver un plan antes de construirlo"], ["uneix les dades de departaments que mai no parlaven", "permet als veïns veure un pla abans de construir-lo"]],
        tags: &["platform", "open data", "digital twin"], standards: &["NGSI-LD", "CityGML", "DCAT-AP"], indicators: &["EC: ICT: PS: 1A", "EX-SVC"] },
    Theme { code: "e_government", areas: &["smart_cities"], weight: 3, personal: 85,
        things: [["Online permits", "Digital citizen card"], ["온라인 인허가", "디지털 시민증"], ["Permisos en línea", "Tarjeta ciudadana digital"], ["Permisos en línia", "Targeta ciutadana digital"]],
        gains: [["answers simple applications within a day", "opens libraries, pools and buses with one card"], ["간단한 신청을 하루 안에 처리합니다", "도서관, 수영장, 버스를 한 장의 카드로 이용합니다"], ["responde en un día a las solicitudes sencillas", "abre bibliotecas, piscinas y autobuses con una tarjeta"], ["respon en un dia a les sol·licituds senzilles", "obre biblioteques, piscines i autobusos amb una targeta"]],
        tags: &["services", "identity", "permits"], standards: &["eIDAS", "OpenID Connect"], indicators: &["EC: ICT: PS: 2A", "EC: ICT: PS: 3A"] },
    Theme { code: "gps_tracking", areas: &["public_transport", "smart_cities"], weight: 3, personal: 75,
        things: [["GPS tracking of buses", "Winter service tracking"], ["버스 GPS 추적", "제설 차량 추적"], ["Seguimiento GPS de autobuses", "Seguimiento del servicio invernal"], ["Seguiment GPS d'autobusos", "Seguiment del servei d'hivern"]],
        gains: [["tells passengers when the bus really comes", "shows which streets were cleared"], ["버스가 실제로 언제 오는지 알려 줍니다", "어느 도로가 제설되었는지 보여 줍니다"], ["dice cuándo llega de verdad el autobús", "muestra qué calles se han limpiado"], ["diu quan arriba de veritat l'autobús", "mostra quins carrers s'han netejat"]],
        tags: &["gps", "buses", "fleet"], standards: &["SIRI", "GTFS-RT"], indicators: &["GP-01", "EC: ICT: T: 1C"] },
    Theme { code: "public_safety", areas: &["smart_cities"], weight: 3, personal: 60,
        things: [["Flood early warning", "Emergency vehicle priority"], ["홍수 조기 경보", "긴급 차량 우선 신호"], ["Alerta temprana de inundaciones", "Prioridad para vehículos de emergencia"], ["Alerta primerenca d'inundacions", "Prioritat per a vehicles d'emergència"]],
        gains: [["closes underpasses before the water comes", "brings ambulances through every crossing on green"], ["물이 차기 전에 지하차도를 통제합니다", "구급차가 모든 교차로를 녹색 신호로 통과합니다"], ["cierra los pasos inferiores antes de que llegue el agua", "da verde a las ambulancias en cada cruce"], ["tanca els passos inferiors abans que arribi l'aigua", "dona verd a les ambulàncies a cada cruïlla"]],
        tags: &["safety", "floods", "emergency"], standards: &["CAP", "ISO 22320"], indicators: &["SC: SH: SA: 5A", "SC: SH: SA: 9C"] },
    Theme { code: "other", areas: &["culture_tourism", "universities_research"], weight: 2, personal: 25,
        things: [["Visitor guide for idle spaces", "Living lab for students"], ["유휴 공간 방문 안내", "학생 리빙랩"], ["Guía de espacios recuperados", "Laboratorio vivo de estudiantes"], ["Guia d'espais recuperats", "Laboratori viu d'estudiants"]],
        gains: [["leads visitors to places off the main streets", "turns theses into small trials in the quarter"], ["방문객을 큰길 밖의 장소로 이끕니다", "논문을 동네의 작은 실험으로 만듭니다"], ["lleva a los visitantes fuera de las calles principales", "convierte tesis en pequeñas pruebas en el barrio"], ["porta els visitants fora dels carrers principals", "converteix tesis en petites proves al barri"]],
        tags: &["culture", "tourism", "students"], standards: &["schema.org"], indicators: &["SC: EH: C: 2A", "EC: P: IN: 2C"] },
];

/// Parts of a city, by language.
pub const PLACES: [[&str; 8]; 4] = [
    [
        "the old port",
        "the station quarter",
        "the university hill",
        "the northern ring",
        "the river bank",
        "the market",
        "the western suburbs",
        "the new town",
    ],
    ["구항", "역세권", "대학로", "북부 순환로", "강변", "시장", "서부 지역", "신시가지"],
    [
        "el puerto viejo",
        "el barrio de la estación",
        "la colina universitaria",
        "la ronda norte",
        "la ribera",
        "el mercado",
        "los barrios del oeste",
        "la ciudad nueva",
    ],
    [
        "el port vell",
        "el barri de l'estació",
        "el turó universitari",
        "la ronda nord",
        "la riba",
        "el mercat",
        "els barris de ponent",
        "la ciutat nova",
    ],
];

/// What is learned from hostings: kind and text.
pub const LESSONS: &[(&str, &str)] = &[
    ("enabler", "One person at the city who could decide saved us months."),
    ("enabler", "The operator's own staff installed the devices, so they knew them when they failed."),
    ("enabler", "The data model was shared before the first meeting."),
    ("barrier", "The procurement threshold forced us to split the order in three."),
    ("barrier", "Nobody had budgeted for maintenance after the first year."),
    ("barrier", "The district's mobile network was too weak in basements."),
    ("tip", "Agree on the maintenance window before the devices arrive."),
    ("tip", "Measure for three months before anything is switched on."),
    ("tip", "Tell residents what is not recorded, not only what is."),
    ("tip", "Let the data protection officer visit the site early."),
];

/// The reasons of assessments: code, and the same in words.
pub const OBSTACLES: &[(&str, &str)] = &[
    ("regulation", "National rules on metering would have to change first."),
    ("cost", "The price per unit is above what the district can spend."),
    ("missing_infrastructure", "The network that the devices need is not there yet."),
    ("climate_geography", "Winters here are too cold for the controllers."),
    ("interoperability", "Our controllers speak another protocol."),
    ("local_alternative_exists", "The city has a service of its own for this."),
    ("scale_mismatch", "It was made for a city ten times our size."),
    ("privacy", "Cameras of this kind need a decision of the council."),
    ("procurement", "It can only be bought together with maintenance."),
    ("skills", "Operating it needs people we do not have."),
    ("vendor_lock_in", "Only one vendor offers the spare parts."),
    ("social_acceptance", "Residents have turned down a similar plan."),
];
