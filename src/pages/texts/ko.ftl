# 한국어: 없는 글은 영어로 나온다.

skip = 본문으로 건너뛰기
nav = 페이지
languages = 언어
search = 검색
nav-cities = 도시
nav-pilots = 시범사업
nav-partnerships = 파트너십
all = 전체
yes = 예
no = 아니요
not-stated = 명시되지 않음
city = 도시
country = 국가
population = 인구
timezone = 시간대
website = 웹사이트
figure-cities = 도시
count-cities = 도시 { $shown }곳
count-pilots = 시범사업 { $shown }건
chart-baseline = 기준값
chart-target = 목표
